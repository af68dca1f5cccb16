// The CUDA execution model on the CPU, as far as the kernels use it.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define SHARED(type, name, count) type *name = (type *)emulator::shared(__COUNTER__, sizeof(type) * (count))
#define REGISTER(name) REGISTER_AS(name)
#define REGISTER_AS(name) static emulator::Entry emulator_entry_##name(#name, &name);

struct dim3 {
	unsigned x, y, z;
};
extern thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {
void barrier();
extern bool barriers_work;    // false: each is passed at once, for the test of those who look for races
extern thread_local unsigned barriers_met; // so far
extern int reports;           // of races, so far, where ThreadSanitizer looks for them
void *shared(int key, size_t bytes); // of this block; the same key gives the same memory

template <class T> constexpr size_t pointee() { // alignment of what a pointer points to, 0 for values
	if constexpr (std::is_pointer<T>::value) return alignof(typename std::remove_pointer<T>::type);
	return 0;
}

struct Kernel {
	std::vector<size_t> sizes, alignments; // of the parameters, and of what they point to
	std::function<void(void **)> call;
};
std::unordered_map<std::string, Kernel> &kernels();

// run gives false where a barrier is not reached by all threads of a block.
bool run(const Kernel &kernel, dim3 grid, dim3 block, void **args);

struct Entry {
	template <class... A> Entry(const char *name, void (*f)(A...)) {
		kernels()[name] = {{sizeof(A)...}, {pointee<A>()...}, [f](void **args) { spread(f, args, std::index_sequence_for<A...>{}); }};
	}
	template <class... A, size_t... I> static void spread(void (*f)(A...), void **args, std::index_sequence<I...>) {
		f(*(typename std::remove_cv<A>::type *)args[I]...);
	}
};
} // namespace emulator

struct float4 {
	float x, y, z, w;
};

inline int min(int a, int b) { return a < b ? a : b; }
inline float sinpif(float x) { return (float)std::sin(M_PI * x); }
inline float cospif(float x) { return (float)std::cos(M_PI * x); }
inline void __syncthreads() { emulator::barrier(); }
