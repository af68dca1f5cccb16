// A libcudnn.so.9 with the convolutions that internal/engine/cuda/cudnn calls,
// as plain loops over NHWC tensors. See README.md.
#include "fake.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <tuple>

enum { SUCCESS = 0, BAD_PARAM = 2000, EXECUTION_FAILED = 5000 };
enum { FLOAT = 0, BFLOAT16 = 9, NHWC = 1, CROSS_CORRELATION = 1 };

struct Tensor { // or a filter: n is O
	int type = -1, n = 0, c = 0, h = 0, w = 0;
	auto key() const { return std::tie(type, n, c, h, w); }
	bool operator<(const Tensor &t) const { return key() < t.key(); }
};
struct Handle {
	void *stream = nullptr;
	std::set<std::tuple<int, Tensor, Tensor, Tensor>> loaded; // convolutions whose code is on the device
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

// What MONCAE_FAKE_CUDNN_FAIL=name:status has a function return.
static int failure(const char *name) {
	const char *s = getenv("MONCAE_FAKE_CUDNN_FAIL");
	const size_t n = strlen(name);
	return s && !strncmp(s, name, n) && s[n] == ':' ? atoi(s + n + 1) : SUCCESS;
}
#define MAY_FAIL() if (int s_ = failure(__func__)) return s_

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

size_t cudnnGetCudartVersion() {
	const char *s = getenv("MONCAE_FAKE_CUDART");
	return s ? (size_t)atol(s) : 0;
}

const char *cudnnGetErrorString(int status) { return status == SUCCESS ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS_FROM_THE_FAKE"; }

int cudnnCreate(Handle **h) {
	MAY_FAIL();
	if (fake_forbidden()) return EXECUTION_FAILED;
	*h = new Handle;
	return SUCCESS;
}
int cudnnDestroy(Handle *h) {
	MAY_FAIL();
	delete h;
	return SUCCESS;
}
int cudnnSetStream(Handle *h, void *stream) {
	MAY_FAIL();
	h->stream = stream;
	return SUCCESS;
}

int cudnnCreateTensorDescriptor(Tensor **t) {
	MAY_FAIL();
	*t = new Tensor;
	return SUCCESS;
}
int cudnnDestroyTensorDescriptor(Tensor *t) {
	MAY_FAIL();
	delete t;
	return SUCCESS;
}
int cudnnSetTensor4dDescriptor(Tensor *t, int format, int type, int n, int c, int h, int w) {
	MAY_FAIL();
	if (format != NHWC || (type != FLOAT && type != BFLOAT16)) return BAD_PARAM;
	*t = {type, n, c, h, w};
	return SUCCESS;
}
int cudnnCreateFilterDescriptor(Tensor **t) {
	MAY_FAIL();
	return cudnnCreateTensorDescriptor(t);
}
int cudnnDestroyFilterDescriptor(Tensor *t) {
	MAY_FAIL();
	return cudnnDestroyTensorDescriptor(t);
}
int cudnnSetFilter4dDescriptor(Tensor *t, int type, int format, int o, int c, int h, int w) {
	MAY_FAIL();
	return cudnnSetTensor4dDescriptor(t, format, type, o, c, h, w);
}

int cudnnCreateConvolutionDescriptor(Convolution **c) {
	MAY_FAIL();
	*c = new Convolution;
	return SUCCESS;
}
int cudnnDestroyConvolutionDescriptor(Convolution *c) {
	MAY_FAIL();
	delete c;
	return SUCCESS;
}
int cudnnSetConvolution2dDescriptor(Convolution *conv, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int type) {
	MAY_FAIL();
	if (ph != pw || sh != sw || dh != 1 || dw != 1 || mode != CROSS_CORRELATION || type != FLOAT) return BAD_PARAM;
	conv->pad = ph;
	conv->stride = sh;
	return SUCCESS;
}
int cudnnSetConvolutionMathType(Convolution *conv, int math) {
	MAY_FAIL();
	conv->math = math;
	return SUCCESS;
}

int cudnnGetConvolutionForwardAlgorithm_v7(Handle *h, Tensor *x, Tensor *w, Convolution *conv, Tensor *y, int wanted, int *count, Perf *p) {
	MAY_FAIL();
	return !fake_dead(h->stream) && fits(*x, *w, *y, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle *h, Tensor *w, Tensor *dy, Convolution *conv, Tensor *dx, int wanted, int *count, Perf *p) {
	MAY_FAIL();
	return !fake_dead(h->stream) && fits(*dx, *w, *dy, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle *h, Tensor *x, Tensor *dy, Convolution *conv, Tensor *dw, int wanted, int *count, Perf *p) {
	MAY_FAIL();
	return !fake_dead(h->stream) && fits(*x, *dw, *dy, *conv) ? heuristics(wanted, count, p) : BAD_PARAM;
}
int cudnnGetConvolutionForwardWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) {
	MAY_FAIL();
	return workspace(algo, bytes);
}
int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) {
	MAY_FAIL();
	return workspace(algo, bytes);
}
int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle *, Tensor *, Tensor *, Convolution *, Tensor *, int algo, size_t *bytes) {
	MAY_FAIL();
	return workspace(algo, bytes);
}

}

// What may not be in a capture: the first run of a convolution, for which code is loaded.
static int ready(Handle *h, int kind, const Tensor &x, const Tensor &w, const Tensor &y, int algo, size_t bytes) {
	if (int s = status()) return s;
	if (algo != 7 || bytes < 1024) return BAD_PARAM;
	if (!h->loaded.insert({kind, x, w, y}).second || !fake_capturing(h->stream)) return SUCCESS;
	return fake_forbidden() ? EXECUTION_FAILED : SUCCESS;
}

// Tensor cores load 16 bytes at once: every tensor and the workspace must be aligned, and wholly in live memory.
static int touch(const void *p, size_t bytes) { return fake_access(p, bytes, 16); }
static int touch(const void *p, const Tensor &t) { return touch(p, elements(t) * (t.type == FLOAT ? 4 : 2)); }

// Runs a convolution whose sums go to `result`, and scribbles over the workspace, as cuDNN does.
template <class F> static int run(Handle *h, const Tensor &x, const void *xp, const Tensor &w, const void *wp, const Tensor &y, const void *yp,
	void *ws, size_t bytes, const Tensor &result, void *out, F add, const Convolution &conv) {
	const int queued = fake_enqueue(h->stream, [=] {
		for (int r : {touch(xp, x), touch(wp, w), touch(yp, y), touch(ws, bytes)})
			if (r) {
				fprintf(stderr, "fake libcudnn: a tensor that is not aligned to 16 bytes, or not in live memory\n");
				return r;
			}
		memset(ws, 0xff, bytes);
		double *sums = (double *)calloc(elements(result), sizeof(double));
		products(x, w, y, conv, [&](size_t i, size_t j, size_t o) { add(sums, i, j, o); });
		for (size_t i = 0; i < elements(result); i++) put(out, result.type, i, (float)sums[i]);
		free(sums);
		return 0;
	});
	return queued ? EXECUTION_FAILED : SUCCESS;
}

extern "C" {

int cudnnConvolutionForward(Handle *h, const float *, Tensor *xd, const void *x, Tensor *wd, const void *w, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *yd, void *y) {
	MAY_FAIL();
	if (int s = ready(h, 0, *xd, *wd, *yd, algo, bytes)) return s;
	const int type = xd->type;
	return run(h, *xd, x, *wd, w, *yd, y, ws, bytes, *yd, y, [=](double *sums, size_t i, size_t j, size_t o) { sums[o] += (double)get(x, type, i) * get(w, type, j); }, *cd);
}

int cudnnConvolutionBackwardData(Handle *h, const float *, Tensor *wd, const void *w, Tensor *yd, const void *dy, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *xd, void *dx) {
	MAY_FAIL();
	if (int s = ready(h, 1, *xd, *wd, *yd, algo, bytes)) return s;
	const int type = xd->type;
	return run(h, *xd, dx, *wd, w, *yd, dy, ws, bytes, *xd, dx, [=](double *sums, size_t i, size_t j, size_t o) { sums[i] += (double)get(dy, type, o) * get(w, type, j); }, *cd);
}

int cudnnConvolutionBackwardFilter(Handle *h, const float *, Tensor *xd, const void *x, Tensor *yd, const void *dy, Convolution *cd, int algo, void *ws, size_t bytes, const float *, Tensor *wd, void *dw) {
	MAY_FAIL();
	if (int s = ready(h, 2, *xd, *wd, *yd, algo, bytes)) return s;
	const int type = xd->type;
	return run(h, *xd, x, *wd, dw, *yd, dy, ws, bytes, *wd, dw, [=](double *sums, size_t i, size_t j, size_t o) { sums[j] += (double)get(dy, type, o) * get(x, type, i); }, *cd);
}
}
