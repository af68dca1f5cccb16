// Convolutions, and dense layers as convolutions of one pixel, without cuDNN:
// NHWC activations, weights [O,k,k,C] in float, zero padding k/2, stride 1 or 2.
//
// The input gradient is the same loop as the forward pass "turned": the image
// that is read is dy, the one that is written dx, and the weights are read with
// their channels exchanged. Kernels take (h, w, c) of the image that is read and
// (ho, wo, o) of the one that is written.
#include "common.cuh"

// place is the row or column that tap `tap` reads for an output whose first tap
// is at `start`, or −1.
__device__ inline int place(int start, int tap, int stride, int turned, int size) {
	int at = start + tap;
	if (turned) {
		at = start - tap;
		if (stride > 1) {
			if (at % stride) return -1;
			at /= stride;
		}
	}
	return at >= 0 && at < size ? at : -1;
}

__device__ inline int first_tap(int out, int k, int stride, int turned) { return turned ? out + k / 2 : out * stride - k / 2; }

// One copy of the activations' code, for the many places that end a sum; the usual ones
// need none.
static __device__ NOINLINE float curved(int f, float x) { return activate(f, x); }

__device__ inline float finish(int f, float x) {
	if (f == LINEAR) return x;
	return f == RELU ? activate(RELU, x) : curved(f, x);
}

// A row that no tap of which is inside the image.
#define OUTSIDE (-(1 << 24))

// sum += a · b of four values each, in shared memory.
__device__ inline void multiply(float sum[4][4], const float *a, const float *b) {
	const float4 u = load4(a), v = load4(b);
	const float left[4] = {u.x, u.y, u.z, u.w}, right[4] = {v.x, v.y, v.z, v.w};
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) sum[i][j] += left[i] * right[j];
}

// Values of shared memory that a block of a narrow convolution has (narrow.cuh), as
// internal/engine/cuda/plan knows them; and loads of a thread that don't wait for each other.
enum { HELD = 12288, AT_ONCE = 4 };

// stage copies a tile of an image, h × w × c, to shared memory: rows × columns pixels
// from (y0, x0) on, 1 << bits channels from c0 on, a pixel every `pitch` values. What is
// outside the image is zero. A load is of W channels, which both counts are multiples of.
template <int W, class T>
__device__ inline void stage_by(float *to, int pitch, const T *image, int h, int w, int c, int c0, int bits, int y0, int x0, int rows, int columns) {
	const int each = bits - (W == 4 ? 2 : 0), first = threadIdx.x >> each, ch = (threadIdx.x & ((1 << each) - 1)) * W;
	const int step = 256 >> each, total = rows * columns, down = step / columns, right = step - down * columns;
	int py = first / columns, px = x0 + first - py * columns;
	py += y0;
	const bool of_image = c0 + ch < c;
#pragma unroll 1
	for (int at = first; at < total; at += AT_ONCE * step) {
		float v[AT_ONCE][W];
		for (int i = 0; i < AT_ONCE; i++) {
			const bool there = of_image && at + i * step < total && py >= 0 && py < h && px >= 0 && px < w;
			load_some<W>(v[i], image, there ? (py * w + px) * c + c0 + ch : 0);
			for (int j = 0; j < W; j++) v[i][j] = there ? v[i][j] : 0.f;
			py += down;
			px += right;
			if (px >= x0 + columns) {
				px -= columns;
				py++;
			}
		}
		for (int i = 0; i < AT_ONCE; i++)
			if (at + i * step < total) store_some<W>(to + (at + i * step) * pitch + ch, v[i]);
	}
}

template <class T>
__device__ inline void stage(float *to, int pitch, const T *image, int h, int w, int c, int c0, int bits, int y0, int x0, int rows, int columns) {
	if (c % 4 == 0 && bits >= 2) stage_by<4>(to, pitch, image, h, w, c, c0, bits, y0, x0, rows, columns);
	else stage_by<1>(to, pitch, image, h, w, c, c0, bits, y0, x0, rows, columns);
}

// sum += the products of 4 channels of P pixels with weights for G outputs.
template <int G, int P>
__device__ inline void product(float sum[P][G], const float4 *v, const float *by) {
	float weights[4 * G];
	for (int j = 0; j < 4 * G; j += 4) load_some<4>(weights + j, by, j);
	for (int p = 0; p < P; p++)
		for (int g = 0; g < G; g++) {
			sum[p][g] += v[p].x * weights[g];
			sum[p][g] += v[p].y * weights[G + g];
			sum[p][g] += v[p].z * weights[2 * G + g];
			sum[p][g] += v[p].w * weights[3 * G + g];
		}
}

// sum += the products of W channels of 4 pixels below each other with weights for 4
// outputs, over a column of k taps: the image's rows are `pitch` apart, the taps' weights
// `next`, a channel's 1 << obits.
template <int W>
__device__ inline void tap_column(float sum[4][4], const float *at, int pitch, const float *by, int next, int obits, int k) {
	float v[4][W];
	for (int i = 0; i < 3; i++, at += pitch) load_some<W>(v[i], at, 0);
#pragma unroll 1
	for (int ky = 0; ky < k; ky++, at += pitch, by += next) {
		load_some<W>(v[3], at, 0);
		for (int ch = 0; ch < W; ch++) {
			float weights[4];
			load_some<4>(weights, by + (ch << obits), 0);
			for (int i = 0; i < 4; i++)
				for (int j = 0; j < 4; j++) sum[i][j] += v[i][ch] * weights[j];
		}
		for (int i = 0; i < 3; i++)
			for (int ch = 0; ch < W; ch++) v[i][ch] = v[i + 1][ch];
	}
}

// sum += the products of TM values at d with 4 values of an image, neighbours or not.
template <int TM, bool NEIGHBOURS>
__device__ inline void accumulate(float sum[TM][4], const float *d, const float *image, int at, const int *offset) {
	float left[TM], right[4];
	if constexpr (TM == 1) left[0] = d[0];
	else
		for (int i = 0; i < TM; i += 4) load_some<4>(left + i, d, i);
	if constexpr (NEIGHBOURS) load_some<4>(right, image, at + offset[0]);
	else
		for (int j = 0; j < 4; j++) right[j] = image[at + offset[j]];
	for (int i = 0; i < TM; i++)
		for (int j = 0; j < 4; j++) sum[i][j] += left[i] * right[j];
}

// accumulate over n pixels of a row, the image's STEP values apart, or `step`.
template <int TM, bool NEIGHBOURS, int STEP>
__device__ inline void along(float sum[TM][4], const float *d, int down, const float *image, int at, int step, int n, const int *offset) {
#pragma unroll 4
	for (int i = 0; i < n; i++, d += down, at += STEP ? STEP : step) accumulate<TM, NEIGHBOURS>(sum, d, image, at, offset);
}

#define X float
#define Y float
#define NAME(x) JOIN(x, f32_f32)
#include "conv.cuh"
#include "narrow.cuh"
#undef X
#undef Y
#undef NAME

#define X bf16
#define Y bf16
#define NAME(x) JOIN(x, bf16_bf16)
#include "conv.cuh"
#include "narrow.cuh"
#undef X
#undef Y
#undef NAME

#define X bf16
#define Y float
#define NAME(x) JOIN(x, bf16_f32)
#include "conv.cuh"
#include "narrow.cuh"
#undef X
#undef Y
#undef NAME

#define X float
#define Y bf16
#define NAME(x) JOIN(x, f32_bf16)
#include "conv.cuh"
#include "narrow.cuh"
