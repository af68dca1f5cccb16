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
#define SHARED(type, name, count) __shared__ type name[count]
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
