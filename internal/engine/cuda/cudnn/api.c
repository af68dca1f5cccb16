//go:build nvidia && linux && amd64

#define _GNU_SOURCE
#include "api.h"

#include <dlfcn.h>

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
void moncae_cudnn_last_error(char *text, size_t bytes) { cudnnGetLastErrorString(text, bytes); }
int moncae_descriptor_create(int kind, descriptor_t *d) { return cudnnBackendCreateDescriptor(kind, d); }
int moncae_descriptor_destroy(descriptor_t d) { return cudnnBackendDestroyDescriptor(d); }
int moncae_descriptor_set(descriptor_t d, int name, int type, int64_t count, const void *values) { return cudnnBackendSetAttribute(d, name, type, count, values); }
int moncae_descriptor_get(descriptor_t d, int name, int type, int64_t wanted, int64_t *count, void *values) { return cudnnBackendGetAttribute(d, name, type, wanted, count, values); }
int moncae_descriptor_finalize(descriptor_t d) { return cudnnBackendFinalize(d); }
int moncae_cudnn_execute(handle_t h, descriptor_t plan, descriptor_t pack) { return cudnnBackendExecute(h, plan, pack); }
