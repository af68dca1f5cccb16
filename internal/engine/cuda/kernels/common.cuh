// What every kernel file starts with. One source serves two compilers: NVRTC
// for the device, and g++ with internal/engine/cuda/emulator for tests.
//
// Conventions: activations are NHWC; a kernel that takes a `total` strides over
// it, so any grid is right; sums have an order that depends on shapes alone, and
// no kernel uses float atomics: two runs give the same bits.
#pragma once

#ifdef MONCAE_EMULATOR
#include "emulator.h"
#define NOINLINE __attribute__((noinline))
#else
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#define SHARED(type, name, count) __shared__ __align__(16) type name[count]
#define REGISTER(name)
#define NOINLINE __noinline__
#endif

#define KERNEL(name) extern "C" __global__ void name
#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)

// Activations have fewer than 2³¹ values (package plan sees to it): indices are
// 32 bits wide, for dividing wider ones would cost more than the memory access.
#define FOR_EACH(i, total) \
	for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (total); i += gridDim.x * blockDim.x)

// bf16 is the upper half of a float; arithmetic is always float.
struct bf16 {
	uint16_t bits;
};

__device__ inline float load(const float *p, long long i) { return p[i]; }
__device__ inline void store(float *p, long long i, float v) { p[i] = v; }

#ifdef MONCAE_EMULATOR
inline float load(const bf16 *p, long long i) {
	uint32_t u = (uint32_t)p[i].bits << 16;
	float f;
	memcpy(&f, &u, 4);
	return f;
}
inline void store(bf16 *p, long long i, float v) {
	uint32_t u;
	memcpy(&u, &v, 4);
	if (v != v) u = 0x7fc00000u;
	else u += 0x7fffu + ((u >> 16) & 1); // to nearest, ties to even
	p[i].bits = (uint16_t)(u >> 16);
}
#else
__device__ inline float load(const bf16 *p, long long i) { return __uint_as_float((uint32_t)p[i].bits << 16); }
__device__ inline void store(bf16 *p, long long i, float v) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(p[i].bits) : "f"(v)); }
#endif

// Four neighbours at a multiple of their size, at once.
#ifdef MONCAE_EMULATOR
inline float4 load4(const float *p) {
	float4 v;
	memcpy(&v, __builtin_assume_aligned(p, 16), sizeof v);
	return v;
}
inline float4 load4(const bf16 *p) { return {load(p, 0), load(p, 1), load(p, 2), load(p, 3)}; }
inline void store4(float *p, const float *v) { memcpy(__builtin_assume_aligned(p, 16), v, 16); }
inline void store4(bf16 *p, const float *v) {
	for (int j = 0; j < 4; j++) store(p, j, v[j]);
}
#else
__device__ inline float4 load4(const float *p) { return *(const float4 *)p; }
__device__ inline float4 load4(const bf16 *p) {
	const uint2 v = *(const uint2 *)p;
	return make_float4(__uint_as_float(v.x << 16), __uint_as_float(v.x & 0xffff0000u), __uint_as_float(v.y << 16), __uint_as_float(v.y & 0xffff0000u));
}
__device__ inline void store4(float *p, const float *v) { *(float4 *)p = make_float4(v[0], v[1], v[2], v[3]); }
__device__ inline void store4(bf16 *p, const float *v) {
	bf16 half[4];
	for (int j = 0; j < 4; j++) store(half, j, v[j]);
	*(uint2 *)p = make_uint2(half[0].bits | (uint32_t)half[1].bits << 16, half[2].bits | (uint32_t)half[3].bits << 16);
}
#endif

// A value as memory of its type keeps it.
__device__ inline float rounded(const float *, float v) { return v; }
__device__ inline float rounded(const bf16 *, float v) {
	bf16 kept;
	store(&kept, 0, v);
	return load(&kept, 0);
}

// Four neighbouring bytes, at a multiple of 4.
__device__ inline uint32_t load_bytes(const uint8_t *p) {
#ifdef MONCAE_EMULATOR
	uint32_t v;
	memcpy(&v, __builtin_assume_aligned(p, 4), 4);
	return v;
#else
	return *(const uint32_t *)p;
#endif
}
__device__ inline void store_bytes(uint8_t *p, uint32_t v) {
#ifdef MONCAE_EMULATOR
	memcpy(__builtin_assume_aligned(p, 4), &v, 4);
#else
	*(uint32_t *)p = v;
#endif
}

// W values, 1 or 4.
template <int W, class T> __device__ inline void load_some(float *v, const T *p, long long i) {
	if constexpr (W == 4) {
		const float4 four = load4(p + i);
		v[0] = four.x, v[1] = four.y, v[2] = four.z, v[3] = four.w;
	} else {
		v[0] = load(p, i);
	}
}
template <int W, class T> __device__ inline void store_some(T *p, const float *v) {
	if constexpr (W == 4) store4(p, v);
	else store(p, 0, v[0]);
}

// The activations, numbered as internal/engine/cuda/plan numbers them.
enum { LINEAR, RELU, SIGMOID, LEAKY_RELU, ELU, SILU };

#define LEAKY_SLOPE 0.01f
#define BATCH_NORM_EPSILON 1e-3f

__device__ inline float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }

__device__ inline float activate(int f, float x) {
	switch (f) {
	case RELU: return x > 0.f || x != x ? x : 0.f;
	case SIGMOID: return sigmoid(x);
	case LEAKY_RELU: return x > 0.f ? x : LEAKY_SLOPE * x;
	case ELU: return x > 0.f ? x : expm1f(x);
	case SILU: return x * sigmoid(x);
	}
	return x;
}

// slope is f's derivative at x, where y = f(x); only SiLU looks at x.
__device__ inline float slope(int f, float x, float y) {
	switch (f) {
	case RELU: return y > 0.f ? 1.f : 0.f;
	case SIGMOID: return y * (1.f - y);
	case LEAKY_RELU: return y > 0.f ? 1.f : LEAKY_SLOPE;
	case ELU: return y > 0.f ? 1.f : y + 1.f;
	case SILU: {
		float s = sigmoid(x);
		return s * (1.f + x * (1.f - s));
	}
	}
	return 1.f;
}
