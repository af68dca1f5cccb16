/* The few functions of cuDNN 9 that are called, declared by hand: its headers
 * come with half a gigabyte of libraries that a build has no use for. */
#pragma once
#include "constants.h"

#include <stddef.h>
#include <stdint.h>

typedef struct cudnn_handle *handle_t;
typedef void *descriptor_t; /* cudnnBackendDescriptor_t */

#define CUDNN_ENUMERATE(name, number) name = number,
enum { CUDNN_CONSTANTS(CUDNN_ENUMERATE) };

#define CUDNN_FUNCTIONS(X) \
	X(const char *, cudnnGetErrorString, (int)) \
	X(void, cudnnGetLastErrorString, (char *, size_t)) \
	X(int, cudnnCreate, (handle_t *)) \
	X(int, cudnnDestroy, (handle_t)) \
	X(int, cudnnSetStream, (handle_t, void *)) \
	X(int, cudnnBackendCreateDescriptor, (int kind, descriptor_t *)) \
	X(int, cudnnBackendDestroyDescriptor, (descriptor_t)) \
	X(int, cudnnBackendSetAttribute, (descriptor_t, int name, int type, int64_t count, const void *)) \
	X(int, cudnnBackendGetAttribute, (descriptor_t, int name, int type, int64_t wanted, int64_t *count, void *)) \
	X(int, cudnnBackendFinalize, (descriptor_t)) \
	X(int, cudnnBackendExecute, (handle_t, descriptor_t plan, descriptor_t pack))

/* Opens a library: 0, or what is wrong. */
const char *moncae_cudnn_open(const char *path, size_t *version);
const char *moncae_cudnn_path(void); /* where the open library lies, or NULL */
int moncae_cudnn_cuda(void);         /* the CUDA that it is made for, for example 12080; 0: unknown */
const char *moncae_open_beside(const char *path); /* opens another library, for good: NULL, or what is wrong */
const char *moncae_cudnn_error(int status);
void moncae_cudnn_last_error(char *text, size_t bytes);
int moncae_cudnn_create(handle_t *);
int moncae_cudnn_destroy(handle_t);
int moncae_cudnn_stream(handle_t, void *stream);
int moncae_descriptor_create(int kind, descriptor_t *);
int moncae_descriptor_destroy(descriptor_t);
int moncae_descriptor_set(descriptor_t, int name, int type, int64_t count, const void *);
int moncae_descriptor_get(descriptor_t, int name, int type, int64_t wanted, int64_t *count, void *);
int moncae_descriptor_finalize(descriptor_t);
int moncae_cudnn_execute(handle_t, descriptor_t plan, descriptor_t pack);
