// A libcuda.so.1 whose device is the emulator. See README.md.
#include "emulator.h"
#include "fake.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_IMAGE = 200, NOT_FOUND = 500,
	ILLEGAL_ADDRESS = 700, LAUNCH_RESOURCES = 701, CAPTURE_UNSUPPORTED = 900 };

typedef std::function<int()> Work;

struct Context {
	std::map<uint64_t, size_t> memory;
	size_t used = 0;
	int lost = 0;
};

struct Stream {
	Context *context;
	bool capturing = false;
	std::vector<Work> queue, captured;
};

struct Function {
	std::string name;
	const emulator::Kernel *kernel;
};

static std::mutex mutex; // of devices
static Context devices[8];
static thread_local Context *current;
static thread_local Stream null_stream;

static long number(const char *variable, long otherwise) {
	const char *s = getenv(variable);
	return s ? atol(s) : otherwise;
}

bool fake_event(const char *variable, const char *name) {
	const char *s = getenv(variable);
	const size_t n = strlen(name);
	if (!s || strncmp(s, name, n) || s[n] != ':') return false;
	if (s[n + 1] == '*') return true;
	static std::mutex counting;
	static std::map<std::string, long> seen;
	std::lock_guard<std::mutex> hold(counting);
	return seen[s]++ == atol(s + n + 1);
}

static Stream *stream_of(void *s) {
	if (s) return (Stream *)s;
	null_stream.context = current;
	return &null_stream;
}

static int lost() { return current ? current->lost : INVALID_CONTEXT; }

static int drain(Stream *s) {
	std::vector<Work> queue;
	queue.swap(s->queue);
	for (auto &work : queue) {
		if (s->context->lost) return s->context->lost;
		if (int r = work()) return s->context->lost = r;
	}
	return s->context->lost;
}

int fake_enqueue(void *handle, Work work) {
	if (int r = lost()) return r;
	Stream *s = stream_of(handle);
	(s->capturing ? s->captured : s->queue).push_back(std::move(work));
	return handle ? SUCCESS : drain(s);
}

// The parameters' sizes of a PTX entry, or nothing.
static std::vector<size_t> parameters(const std::string &ptx, const std::string &name, bool *found) {
	std::vector<size_t> sizes;
	const size_t at = ptx.find(".visible .entry " + name + "(");
	*found = at != std::string::npos;
	if (!*found) return sizes;
	const std::string head = ptx.substr(at, ptx.find("\n)", at) - at);
	for (size_t i = head.find(".param ."); i != std::string::npos; i = head.find(".param .", i + 1)) {
		const std::string type = head.substr(i + 9, 2);
		sizes.push_back(type == "64" ? 8 : type == "32" ? 4 : 0);
	}
	return sizes;
}

extern "C" {

int cuInit(unsigned) { return number("MONCAE_FAKE_INIT", SUCCESS); }

int cuGetErrorName(int code, const char **name) {
	static const std::map<int, const char *> names = {{OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"},
		{ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {LAUNCH_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"}};
	const auto it = names.find(code);
	*name = it == names.end() ? "CUDA_ERROR" : it->second;
	return SUCCESS;
}

int cuGetErrorString(int, const char **text) {
	*text = "from the fake driver";
	return SUCCESS;
}

int cuDriverGetVersion(int *v) {
	*v = (int)number("MONCAE_FAKE_DRIVER", 12040);
	return SUCCESS;
}

int cuDeviceGetCount(int *n) {
	*n = (int)number("MONCAE_FAKE_DEVICES", 1);
	return SUCCESS;
}

int cuDeviceGet(int *device, int ordinal) {
	*device = ordinal;
	return SUCCESS;
}

int cuDeviceGetName(char *name, int size, int) {
	snprintf(name, size, "emulated GPU");
	return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t *bytes, int) {
	*bytes = (size_t)number("MONCAE_FAKE_MEMORY", 4l << 30);
	return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
	*value = attribute == 75 ? 9 : attribute == 16 ? 16 : 0; // compute capability 9.0, 16 multiprocessors
	return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
	*context = &devices[device];
	return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }

int cuDevicePrimaryCtxReset_v2(int device) {
	std::lock_guard<std::mutex> hold(mutex);
	for (auto &m : devices[device].memory) free((void *)m.first);
	devices[device] = Context();
	return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
	current = (Context *)context;
	return SUCCESS;
}

int cuCtxSynchronize() { return lost(); }

int cuMemGetInfo_v2(size_t *available, size_t *total) {
	if (int r = lost()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	cuDeviceTotalMem_v2(total, 0);
	*available = *total > current->used ? *total - current->used : 0;
	return SUCCESS;
}

int cuMemAlloc_v2(uint64_t *p, size_t n) {
	if (int r = lost()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	if (n == 0) return INVALID_VALUE;
	if (current->used + n > (size_t)number("MONCAE_FAKE_MEMORY", 4l << 30)) return OUT_OF_MEMORY;
	const size_t rounded = (n + 255) & ~(size_t)255;
	*p = (uint64_t)aligned_alloc(256, rounded);
	memset((void *)*p, 0xff, rounded);
	current->memory[*p] = n;
	current->used += n;
	return SUCCESS;
}

int cuMemFree_v2(uint64_t p) {
	if (int r = lost()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	const auto it = current->memory.find(p);
	if (it == current->memory.end()) return INVALID_VALUE;
	current->used -= it->second;
	current->memory.erase(it);
	free((void *)p);
	return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *s) {
	auto staged = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + n); // pageable memory is staged at the call
	return fake_enqueue(s, [=] {
		memcpy((void *)to, staged->data(), n);
		return SUCCESS;
	});
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *s) {
	return fake_enqueue(s, [=] {
		memcpy(to, (void *)from, n);
		return SUCCESS;
	});
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t n) { return cuMemcpyHtoDAsync_v2(to, from, n, nullptr); }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t n) { return cuMemcpyDtoHAsync_v2(to, from, n, nullptr); }

int cuMemsetD8Async(uint64_t p, unsigned char v, size_t n, void *s) {
	return fake_enqueue(s, [=] {
		memset((void *)p, v, n);
		return SUCCESS;
	});
}

int cuMemsetD32Async(uint64_t p, uint32_t v, size_t n, void *s) {
	return fake_enqueue(s, [=] {
		std::fill((uint32_t *)p, (uint32_t *)p + n, v);
		return SUCCESS;
	});
}

int cuStreamCreate(void **s, unsigned) {
	if (int r = lost()) return r;
	auto stream = new Stream;
	stream->context = current;
	*s = stream;
	return SUCCESS;
}

int cuStreamDestroy_v2(void *s) {
	delete (Stream *)s;
	return SUCCESS;
}

int cuStreamSynchronize(void *s) {
	if (int r = lost()) return r;
	return stream_of(s)->capturing ? CAPTURE_UNSUPPORTED : drain(stream_of(s));
}

int cuModuleLoadData(void **module, const void *image) {
	if (int r = lost()) return r;
	if (!strstr((const char *)image, ".version 8.1")) return INVALID_IMAGE;
	*module = new std::string((const char *)image);
	return SUCCESS;
}

int cuModuleUnload(void *module) {
	delete (std::string *)module;
	return SUCCESS;
}

int cuModuleGetFunction(void **f, void *module, const char *name) {
	const auto it = emulator::kernels().find(name);
	bool found;
	const auto sizes = parameters(*(std::string *)module, name, &found);
	if (!found || it == emulator::kernels().end()) return NOT_FOUND;
	if (sizes != it->second.sizes) {
		fprintf(stderr, "fake libcuda: the PTX and the source of %s have other parameters\n", name);
		return INVALID_IMAGE;
	}
	*f = new Function{name, &it->second};
	return SUCCESS;
}

int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *s, void **args, void **) {
	const Function *f = (Function *)function;
	if (gx == 0 || gy == 0 || gz == 0 || gy > 65535 || gz > 65535 || bx * by * bz == 0 || bx * by * bz > 1024) return INVALID_VALUE;
	const char *refused = getenv("MONCAE_FAKE_LAUNCH");
	if (refused && f->name == refused) return LAUNCH_RESOURCES;
	std::vector<uint64_t> values(f->kernel->sizes.size());
	for (size_t i = 0; i < values.size(); i++) memcpy(&values[i], args[i], f->kernel->sizes[i]);
	return fake_enqueue(s, [=] {
		if (fake_event("MONCAE_FAKE_KERNEL", f->name.c_str())) return (int)ILLEGAL_ADDRESS;
		std::vector<void *> pointers(values.size());
		for (size_t i = 0; i < values.size(); i++) pointers[i] = (void *)&values[i];
		if (emulator::run(*f->kernel, dim3{gx, gy, gz}, dim3{bx, by, bz}, pointers.data())) return (int)SUCCESS;
		fprintf(stderr, "fake libcuda: %s: a barrier that not all threads reach\n", f->name.c_str());
		return (int)ILLEGAL_ADDRESS;
	});
}

int cuStreamBeginCapture_v2(void *s, int) {
	if (int r = lost()) return r;
	((Stream *)s)->capturing = true;
	((Stream *)s)->captured.clear();
	return SUCCESS;
}

int cuStreamEndCapture(void *s, void **graph) {
	((Stream *)s)->capturing = false;
	*graph = new std::vector<Work>(std::move(((Stream *)s)->captured));
	return SUCCESS;
}

int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long) {
	*exec = new std::vector<Work>(*(std::vector<Work> *)graph);
	return SUCCESS;
}

int cuGraphLaunch(void *exec, void *s) {
	for (auto &work : *(std::vector<Work> *)exec)
		if (int r = fake_enqueue(s, work)) return r;
	return SUCCESS;
}

int cuGraphDestroy(void *graph) {
	delete (std::vector<Work> *)graph;
	return SUCCESS;
}

int cuGraphExecDestroy(void *exec) {
	delete (std::vector<Work> *)exec;
	return SUCCESS;
}
}
