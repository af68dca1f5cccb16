//go:build nvidia && linux && amd64

#define _GNU_SOURCE
#include "api.h"

#include <dlfcn.h>
#include <string.h>

#define DEFINE(result, name, arguments) static result (*name) arguments;
CUDNN_FUNCTIONS(DEFINE)
static size_t (*get_cuda)(void);

const char *moncae_cudnn_open(const char *path, size_t *version) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) return dlerror();
	size_t (*get_version)(void) = (size_t(*)(void))dlsym(library, "cudnnGetVersion");
	if (!get_version) return "cudnnGetVersion is missing";
	*version = get_version();
#define LOOK_UP(result, name, arguments) \
	if (!(*(void **)&name = dlsym(library, #name))) return #name " is missing";
	CUDNN_FUNCTIONS(LOOK_UP)
	*(void **)&get_cuda = dlsym(library, "cudnnGetCudartVersion");
	return NULL;
}

const char *moncae_cudnn_path(void) {
	Dl_info info;
	return dladdr((void *)cudnnCreate, &info) ? info.dli_fname : NULL;
}

int moncae_cudnn_cuda(void) { return get_cuda ? (int)get_cuda() : 0; }

const char *moncae_open_beside(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL) ? NULL : dlerror(); }

const char *moncae_cudnn_error(int status) { return cudnnGetErrorString(status); }
int moncae_cudnn_create(handle_t *h) { return cudnnCreate(h); }
int moncae_cudnn_destroy(handle_t h) { return cudnnDestroy(h); }
int moncae_cudnn_stream(handle_t h, void *stream) { return cudnnSetStream(h, stream); }

/* geometry: n h w c, yh yw o, kernel, stride */
int moncae_conv_make(moncae_conv *c, const int *g, int type, int math) {
	int s;
	memset(c, 0, sizeof *c);
	if ((s = cudnnCreateTensorDescriptor(&c->x)) || (s = cudnnCreateTensorDescriptor(&c->y))) return s;
	if ((s = cudnnCreateFilterDescriptor(&c->w)) || (s = cudnnCreateConvolutionDescriptor(&c->convolution))) return s;
	if ((s = cudnnSetTensor4dDescriptor(c->x, CUDNN_TENSOR_NHWC, type, g[0], g[3], g[1], g[2]))) return s;
	if ((s = cudnnSetTensor4dDescriptor(c->y, CUDNN_TENSOR_NHWC, type, g[0], g[6], g[4], g[5]))) return s;
	if ((s = cudnnSetFilter4dDescriptor(c->w, type, CUDNN_TENSOR_NHWC, g[6], g[3], g[7], g[7]))) return s;
	const int pad = g[7] / 2, stride = g[8];
	if ((s = cudnnSetConvolution2dDescriptor(c->convolution, pad, pad, stride, stride, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT))) return s;
	return cudnnSetConvolutionMathType(c->convolution, math);
}

void moncae_conv_free(moncae_conv *c) {
	if (c->x) cudnnDestroyTensorDescriptor(c->x);
	if (c->y) cudnnDestroyTensorDescriptor(c->y);
	if (c->w) cudnnDestroyFilterDescriptor(c->w);
	if (c->convolution) cudnnDestroyConvolutionDescriptor(c->convolution);
	memset(c, 0, sizeof *c);
}

int moncae_conv_heuristics(handle_t h, const moncae_conv *c, int kind, int wanted, int *count, performance_t *p) {
	switch (kind) {
	case 0: return cudnnGetConvolutionForwardAlgorithm_v7(h, c->x, c->w, c->convolution, c->y, wanted, count, p);
	case 1: return cudnnGetConvolutionBackwardDataAlgorithm_v7(h, c->w, c->y, c->convolution, c->x, wanted, count, p);
	default: return cudnnGetConvolutionBackwardFilterAlgorithm_v7(h, c->x, c->y, c->convolution, c->w, wanted, count, p);
	}
}

int moncae_conv_workspace(handle_t h, const moncae_conv *c, int kind, int algorithm, size_t *bytes) {
	switch (kind) {
	case 0: return cudnnGetConvolutionForwardWorkspaceSize(h, c->x, c->w, c->convolution, c->y, algorithm, bytes);
	case 1: return cudnnGetConvolutionBackwardDataWorkspaceSize(h, c->w, c->y, c->convolution, c->x, algorithm, bytes);
	default: return cudnnGetConvolutionBackwardFilterWorkspaceSize(h, c->x, c->y, c->convolution, c->w, algorithm, bytes);
	}
}

int moncae_conv_run(handle_t h, const moncae_conv *c, int kind, int algorithm, size_t x, size_t w, size_t y, size_t workspace, size_t bytes) {
	const float one = 1, zero = 0;
	void *X = (void *)x, *W = (void *)w, *Y = (void *)y, *S = (void *)workspace;
	switch (kind) {
	case 0: return cudnnConvolutionForward(h, &one, c->x, X, c->w, W, c->convolution, algorithm, S, bytes, &zero, c->y, Y);
	case 1: return cudnnConvolutionBackwardData(h, &one, c->w, W, c->y, Y, c->convolution, algorithm, S, bytes, &zero, c->x, X);
	default: return cudnnConvolutionBackwardFilter(h, &one, c->x, X, c->y, Y, c->convolution, algorithm, S, bytes, &zero, c->w, W);
	}
}
