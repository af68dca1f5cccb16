/* The few functions of cuDNN 9 that are called, declared by hand: its headers
 * come with half a gigabyte of libraries that a build has no use for. */
#pragma once
#include <stddef.h>

typedef struct cudnn_handle *handle_t;
typedef struct cudnn_tensor *tensor_t;
typedef struct cudnn_filter *filter_t;
typedef struct cudnn_convolution *convolution_t;

/* cudnnConvolutionFwdAlgoPerf_t and its two like, which have one layout. */
typedef struct {
	int algorithm, status;
	float time;
	size_t memory;
	int determinism, math, reserved[3];
} performance_t;

enum {
	CUDNN_TENSOR_NHWC = 1,
	CUDNN_DATA_FLOAT = 0,
	CUDNN_DATA_BFLOAT16 = 9,
	CUDNN_CROSS_CORRELATION = 1,
	CUDNN_DETERMINISTIC = 1,
	CUDNN_DEFAULT_MATH = 0, /* TF32 allowed */
	CUDNN_TENSOR_OP_MATH = 1,
	CUDNN_FMA_MATH = 3,
};

#define CUDNN_FUNCTIONS(X) \
	X(const char *, cudnnGetErrorString, (int)) \
	X(int, cudnnCreate, (handle_t *)) \
	X(int, cudnnDestroy, (handle_t)) \
	X(int, cudnnSetStream, (handle_t, void *)) \
	X(int, cudnnCreateTensorDescriptor, (tensor_t *)) \
	X(int, cudnnDestroyTensorDescriptor, (tensor_t)) \
	X(int, cudnnSetTensor4dDescriptor, (tensor_t, int format, int type, int n, int c, int h, int w)) \
	X(int, cudnnCreateFilterDescriptor, (filter_t *)) \
	X(int, cudnnDestroyFilterDescriptor, (filter_t)) \
	X(int, cudnnSetFilter4dDescriptor, (filter_t, int type, int format, int o, int c, int h, int w)) \
	X(int, cudnnCreateConvolutionDescriptor, (convolution_t *)) \
	X(int, cudnnDestroyConvolutionDescriptor, (convolution_t)) \
	X(int, cudnnSetConvolution2dDescriptor, (convolution_t, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int type)) \
	X(int, cudnnSetConvolutionMathType, (convolution_t, int)) \
	X(int, cudnnGetConvolutionForwardAlgorithm_v7, (handle_t, tensor_t x, filter_t w, convolution_t, tensor_t y, int wanted, int *count, performance_t *)) \
	X(int, cudnnGetConvolutionBackwardDataAlgorithm_v7, (handle_t, filter_t w, tensor_t dy, convolution_t, tensor_t dx, int wanted, int *count, performance_t *)) \
	X(int, cudnnGetConvolutionBackwardFilterAlgorithm_v7, (handle_t, tensor_t x, tensor_t dy, convolution_t, filter_t dw, int wanted, int *count, performance_t *)) \
	X(int, cudnnGetConvolutionForwardWorkspaceSize, (handle_t, tensor_t x, filter_t w, convolution_t, tensor_t y, int algorithm, size_t *)) \
	X(int, cudnnGetConvolutionBackwardDataWorkspaceSize, (handle_t, filter_t w, tensor_t dy, convolution_t, tensor_t dx, int algorithm, size_t *)) \
	X(int, cudnnGetConvolutionBackwardFilterWorkspaceSize, (handle_t, tensor_t x, tensor_t dy, convolution_t, filter_t dw, int algorithm, size_t *)) \
	X(int, cudnnConvolutionForward, (handle_t, const void *alpha, tensor_t, const void *x, filter_t, const void *w, convolution_t, int algorithm, void *workspace, size_t, const void *beta, tensor_t, void *y)) \
	X(int, cudnnConvolutionBackwardData, (handle_t, const void *alpha, filter_t, const void *w, tensor_t, const void *dy, convolution_t, int algorithm, void *workspace, size_t, const void *beta, tensor_t, void *dx)) \
	X(int, cudnnConvolutionBackwardFilter, (handle_t, const void *alpha, tensor_t, const void *x, tensor_t, const void *dy, convolution_t, int algorithm, void *workspace, size_t, const void *beta, filter_t, void *dw))

/* A convolution's descriptors. Kinds: 0 forward, 1 input gradient, 2 weight gradient. */
typedef struct {
	tensor_t x, y;
	filter_t w;
	convolution_t convolution;
} moncae_conv;

/* Opens a library: 0, or what is wrong. */
const char *moncae_cudnn_open(const char *path, size_t *version);
const char *moncae_cudnn_path(void); /* where the open library lies, or NULL */
int moncae_cudnn_cuda(void);         /* the CUDA that it is made for, for example 12080; 0: unknown */
const char *moncae_open_beside(const char *path); /* opens another library, for good: NULL, or what is wrong */
const char *moncae_cudnn_error(int status);
int moncae_cudnn_create(handle_t *);
int moncae_cudnn_destroy(handle_t);
int moncae_cudnn_stream(handle_t, void *stream);
int moncae_conv_make(moncae_conv *, const int *geometry, int type, int math);
void moncae_conv_free(moncae_conv *);
int moncae_conv_heuristics(handle_t, const moncae_conv *, int kind, int wanted, int *count, performance_t *);
int moncae_conv_workspace(handle_t, const moncae_conv *, int kind, int algorithm, size_t *bytes);
int moncae_conv_run(handle_t, const moncae_conv *, int kind, int algorithm, size_t x, size_t w, size_t y, size_t workspace, size_t bytes);
