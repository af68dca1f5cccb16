//go:build nvidia && linux && amd64

#include "loader.h"

#include <dlfcn.h>
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define ENTRY(name) #name,
static const char *const names[] = {
#include "names.h"
};
#undef ENTRY

HIDDEN void *moncae_cuda_slots[sizeof names / sizeof *names];

static void *library;

/* gorgonia.org/cu calls cuInit before main and ends the process if it fails.
 * The driver is started by moncae_cuda_open, when a device is asked for. */
HIDDEN int cuInit(unsigned flags) {
	(void)flags;
	return 0;
}

static int stub_library(void) { return 34; /* CUDA_ERROR_STUB_LIBRARY */ }

HIDDEN void *moncae_cuda_resolve(unsigned index) {
	void *p = library ? dlsym(library, names[index]) : NULL;
	if (!p) return (void *)stub_library;
	__atomic_store_n(&moncae_cuda_slots[index], p, __ATOMIC_RELEASE);
	return p;
}

int moncae_cuda_open(const char **error) {
	library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
	if (!library) {
		*error = dlerror();
		return -1;
	}
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(library, "cuInit");
	return init ? init(0) : 34;
}
