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
		if (at % stride) return -1;
		at /= stride;
	}
	return at >= 0 && at < size ? at : -1;
}

__device__ inline int first_tap(int out, int k, int stride, int turned) { return turned ? out + k / 2 : out * stride - k / 2; }

// One copy of the activation's code, for the many places that end a sum.
static __device__ NOINLINE float finish(int f, float x) { return activate(f, x); }

// A row that no tap of which is inside the image.
#define OUTSIDE (-(1 << 24))

#define X float
#define Y float
#define NAME(x) JOIN(x, f32_f32)
#include "conv.cuh"
#undef X
#undef Y
#undef NAME

#define X bf16
#define Y bf16
#define NAME(x) JOIN(x, bf16_bf16)
#include "conv.cuh"
#undef X
#undef Y
#undef NAME

#define X bf16
#define Y float
#define NAME(x) JOIN(x, bf16_f32)
#include "conv.cuh"
#undef X
#undef Y
#undef NAME

#define X float
#define Y bf16
#define NAME(x) JOIN(x, f32_bf16)
#include "conv.cuh"
