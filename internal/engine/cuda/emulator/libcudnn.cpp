// A libcudnn.so.9 with the convolutions that internal/engine/cuda/cudnn calls,
// as plain loops over NHWC tensors. See README.md.
#include "fake.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

enum { SUCCESS = 0, NOT_INITIALIZED = 1001, BAD_PARAM = 2000, NOT_SUPPORTED = 3000 };
enum { FLOAT = 0, BFLOAT16 = 9, NHWC = 1, CROSS_CORRELATION = 1 };

struct Handle {
	void *stream = nullptr;
};
struct Tensor { // or a filter: n is O
	int type = -1, n = 0, c = 0, h = 0, w = 0;
};
struct Convolution {
	int pad = 0, stride = 0, math = -1;
};
struct Perf {
	int algo, status;
	float time;
	size_t memory;
	int determinism, math, reserved[3];
};

static float get(const void *p, int type, size_t i) {
	if (type == FLOAT) return ((const float *)p)[i];
	uint32_t u = (uint32_t)((const uint16_t *)p)[i] << 16;
	float f;
	memcpy(&f, &u, 4);
	return f;
}

static void put(void *p, int type, size_t i, float v) {
	if (type == FLOAT) {
		((float *)p)[i] = v;
		return;
	}
	uint32_t u;
	memcpy(&u, &v, 4);
	((uint16_t *)p)[i] = (uint16_t)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
}

static int status() {
	const char *s = getenv("MONCAE_FAKE_CUDNN_STATUS");
	return s ? atoi(s) : SUCCESS;
}

// Calls f(x index, w index, y index) for every product of the convolution.
template <class F> static void products(const Tensor &x, const Tensor &w, const Tensor &y, const Convolution &conv, F f) {
	for (int n = 0; n < y.n; n++)
		for (int oy = 0; oy < y.h; oy++)
			for (int ox = 0; ox < y.w; ox++)
				for (int o = 0; o < y.c; o++)
					for (int ky = 0; ky < w.h; ky++)
						for (int kx = 0; kx < w.w; kx++) {
							const int iy = oy * conv.stride - conv.pad + ky, ix = ox * conv.stride - conv.pad + kx;
							if (iy < 0 || ix < 0 || iy >= x.h || ix >= x.w) continue;
							for (int c = 0; c < x.c; c++)
								f((((size_t)n * x.h + iy) * x.w + ix) * x.c + c, (((size_t)o * w.h + ky) * w.w + kx) * x.c + c,
									(((size_t)n * y.h + oy) * y.w + ox) * y.c + o);
						}
}

static bool fits(const Tensor &x, const Tensor &w, const Tensor &y, const Convolution &conv) {
	return x.n == y.n && x.c == w.c && w.n == y.c && conv.stride > 0 && y.h == (x.h + 2 * conv.pad - w.h) / conv.stride + 1 &&
		y.w == (x.w + 2 * conv.pad - w.w) / conv.stride + 1 && x.type == w.type && x.type == y.type;
}

static size_t elements(const Tensor &t) { return (size_t)t.n * t.c * t.h * t.w; }

static int heuristics(int wanted, int *count, Perf *results) {
	// The fastest is not deterministic, the next wants too much memory, the third is right.
	const Perf all[] = {{0, SUCCESS, 1, 0, 0, 0, {}}, {1, SUCCESS, 2, (size_t)1 << 40, 1, 0, {}}, {7, SUCCESS, 3, 1024, 1, 0, {}}};
	*count = 0;
	for (; *count < wanted && *count < 3; ++*count) results[*count] = all[*count];
	return SUCCESS;
}

static int workspace(int algo, size_t *bytes) {
	*bytes = 1024;
	return algo == 7 ? SUCCESS : BAD_PARAM;
}

extern "C" {

size_t cudnnGetVersion() {
	const char *s = getenv("MONCAE_FAKE_CUDNN");
	return s ? (size_t)atol(s) : 90100;
}

const char *cudnnGetErrorString(int status) { return status == SUCCESS ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS_FROM_THE_FAKE"; }

int cudnnCreate(Handle **h) {
	*h = new Handle;
	return SUCCESS;
}
int cudnnDestroy(Handle *h) {
	delete h;
	return SUCCESS;
}
int cudnnSetStream(Handle *h, void *stream) {
	h->stream = stream;
	return SUCCESS;
}

int cudnnCreateTensorDescriptor(Tensor **t) {
	*t = new Tensor;
	return SUCCESS;
}
int cudnnDestroyTensorDescriptor(Tensor *t) {
	delete t;
	return SUCCESS;
}
int cudnnSetTensor4dDescriptor(Tensor *t, int format, int type, int n, int c, int h, int w) {
	if (format != NHWC || (type != FLOAT && type != BFLOAT16)) return BAD_PARAM;
	*t = {type, n, c, h, w};
	return SUCCESS;
}
int cudnnCreateFilterDescriptor(Tensor **t) { return cudnnCreateTensorDescriptor(t); }
int cudnnDestroyFilterDescriptor(Tensor *t) { return cudnnDestroyTensorDescriptor(t); }
int cudnnSetFilter4dDescriptor(Tensor *t, int type, int format, int o, int c, int h, int w) { return cudnnSetTensor4dDescriptor(t, format, type, o, c, h, w); }

int cudnnCreateConvolutionDescriptor(Convolution **c) {
	*c = new Convolution;
	return SUCCESS;
}
int cudnnDestroyConvolutionDescriptor(Convolution *c) {
	delete c;
	return SUCCESS;
}
int cudnnSetConvolution2dDescriptor(Convolution *conv, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int type) {
	if (ph != pw || sh != sw || dh != 1 || dw != 1 || mode != CROSS_CORRELATION || type != FLOAT) return BAD_PARAM;
	conv->pad = ph;
	conv->stride = sh;
	return SUCCESS;
}
int cudnnSetConvolutionMathType(Convolution *conv, int math) {
	conv->math = math;
	return SUCCESS;
}

int cudnnGetConvolutionForwardAlgorithm_v7(Handle *, Tensor *x, Tensor *w, Convolution *conv, Tensor *y, int wanted, int *count, Perf *p) {
	return fits(*x, *w, *y, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle *, Tensor *w, Tensor *dy, Convolution *conv, Tensor *dx, int wanted, int *count, Perf *p) {
	return fits(*dx, *w, *dy, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle *, Tensor *x, Tensor *dy, Convolution *conv, Tensor *dw, int wanted, int *count, Perf *p) {
	return fits(*x, *dw, *dy, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionForwardWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) { return workspace(algo, bytes); }
int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) { return workspace(algo, bytes); }
int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) { return workspace(algo, bytes); }

// The three convolutions scribble over their workspace, as cuDNN does.

int cudnnConvolutionForward(Handle *h, const float *, Tensor *xd, const void *x, Tensor *wd, const void *w, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *yd, void *y) {
	if (status() || algo != 7 || bytes < 1024) return status() ? status() : BAD_PARAM;
	return fake_enqueue(h->stream, [=, X = *xd, W = *wd, Y = *yd, C = *cd] {
		memset(ws, 0xff, 1024);
		double *sums = (double *)calloc(elements(Y), sizeof(double));
		products(X, W, Y, C, [&](size_t i, size_t j, size_t o) { sums[o] += (double)get(x, X.type, i) * get(w, W.type, j); });
		for (size_t i = 0; i < elements(Y); i++) put(y, Y.type, i, (float)sums[i]);
		free(sums);
		return 0;
	});
}

int cudnnConvolutionBackwardData(Handle *h, const float *, Tensor *wd, const void *w, Tensor *yd, const void *dy, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *xd, void *dx) {
	if (status() || algo != 7 || bytes < 1024) return status() ? status() : BAD_PARAM;
	return fake_enqueue(h->stream, [=, X = *xd, W = *wd, Y = *yd, C = *cd] {
		memset(ws, 0xff, 1024);
		double *sums = (double *)calloc(elements(X), sizeof(double));
		products(X, W, Y, C, [&](size_t i, size_t j, size_t o) { sums[i] += (double)get(dy, Y.type, o) * get(w, W.type, j); });
		for (size_t i = 0; i < elements(X); i++) put(dx, X.type, i, (float)sums[i]);
		free(sums);
		return 0;
	});
}

int cudnnConvolutionBackwardFilter(Handle *h, const float *, Tensor *xd, const void *x, Tensor *yd, const void *dy, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *wd, void *dw) {
	if (status() || algo != 7 || bytes < 1024) return status() ? status() : BAD_PARAM;
	return fake_enqueue(h->stream, [=, X = *xd, W = *wd, Y = *yd, C = *cd] {
		memset(ws, 0xff, 1024);
		double *sums = (double *)calloc(elements(W), sizeof(double));
		products(X, W, Y, C, [&](size_t i, size_t j, size_t o) { sums[j] += (double)get(dy, Y.type, o) * get(x, X.type, i); });
		for (size_t i = 0; i < elements(W); i++) put(dw, W.type, i, (float)sums[i]);
		free(sums);
		return 0;
	});
}
}
