// A libcuda.so.1 whose device is the emulator. See README.md.
#include "emulator.h"
#include "fake.h"
#include "record.h"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <sys/mman.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_IMAGE = 200, INVALID_HANDLE = 400, NOT_FOUND = 500,
	ILLEGAL_ADDRESS = 700, LAUNCH_RESOURCES = 701, MISALIGNED_ADDRESS = 716, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901,
	CAPTURE_WRONG_THREAD = 908 };

typedef std::function<int()> Work;

struct Context;

struct Stream {
	Context *context = nullptr;
	bool capturing = false, spoiled = false, destroyed = false;
	std::mutex running; // held while work is queued or done
	std::deque<Work> queue;
	std::vector<Work> captured;
	size_t done = 0; // pieces of work, since the stream was made
};

struct Context {
	std::map<uint64_t, size_t> memory, pinned;
	std::set<Stream *> streams;
	std::map<void *, std::shared_ptr<void>> code, objects; // modules and their functions; graphs and events
	int retained = 0;
	size_t used = 0;
	std::atomic<int> lost{0}; // by which error; any thread may find out
	unsigned flags = 0;
};

enum { BLOCKING_SYNC = 4, BLOCKING_EVENT = 1 };

struct Event {
	Stream *stream = nullptr;
	size_t after = 0; // as many pieces of its work
};

struct Function {
	std::string name;
	const emulator::Kernel *kernel;
};

static std::mutex mutex; // of devices, but for their streams' work
static Context devices[8];
static thread_local Context *current;
static thread_local Stream null_stream;
static thread_local Stream *capturing; // by this thread

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

// Whether a wait would keep a processor busy: the engine asks for sleep.
static bool spins() { return !(current->flags & BLOCKING_SYNC); }

static int lost() { return current ? current->lost.load() : INVALID_CONTEXT; }

// The stream of a handle, or null where it isn't one of the current context.
static Stream *stream_of(void *s) {
	if (!s) {
		null_stream.context = current;
		return &null_stream;
	}
	std::lock_guard<std::mutex> hold(mutex);
	return current && current->streams.count((Stream *)s) && !((Stream *)s)->destroyed ? (Stream *)s : nullptr;
}

// Gives one of the current context's things to it: what isn't destroyed goes with it.
template <class X> static X *keep(std::map<void *, std::shared_ptr<void>> Context::*in, X *x) {
	std::lock_guard<std::mutex> hold(mutex);
	(current->*in)[x] = std::shared_ptr<X>(x);
	return x;
}

static void destroy(std::map<void *, std::shared_ptr<void>> Context::*in, void *x) {
	std::lock_guard<std::mutex> hold(mutex);
	(current->*in).erase(x);
}

static long resets;

long fake_generation() {
	std::lock_guard<std::mutex> hold(mutex);
	return resets;
}

int fake_forbidden() {
	if (!capturing) return SUCCESS;
	fprintf(stderr, "fake libcuda: a call that a capture forbids\n");
	capturing->spoiled = true;
	return CAPTURE_UNSUPPORTED;
}

bool fake_dead(void *s) { return s && !stream_of(s); }

bool fake_capturing(void *s) { return s && ((Stream *)s)->capturing; }

// Whether [p, p + n) lies in one live allocation; pinned memory has another map.
static bool within(const std::map<uint64_t, size_t> &memory, uint64_t p, size_t n) {
	auto it = memory.upper_bound(p);
	return it != memory.begin() && (--it, p + n <= it->first + it->second);
}

static int access(Context *c, uint64_t p, size_t n, size_t alignment) {
	std::lock_guard<std::mutex> hold(mutex);
	if (!within(c->memory, p, n)) return ILLEGAL_ADDRESS;
	return p % alignment ? MISALIGNED_ADDRESS : SUCCESS;
}

int fake_access(const void *p, size_t n, size_t alignment) { return access(current, (uint64_t)p, n, alignment); }

// Does a stream's work up to piece number `to`. Work runs as late as it may: when somebody waits.
static int drain(Stream *s, size_t to) {
	std::lock_guard<std::mutex> hold(s->running);
	Context *mine = current;
	current = s->context;
	while (s->done < to && !s->queue.empty()) {
		const Work work = std::move(s->queue.front());
		s->queue.pop_front();
		s->done++;
		if (s->context->lost) continue;
		if (int r = work()) s->context->lost = r;
	}
	current = mine;
	return s->context->lost;
}

static int drain(Stream *s) { return drain(s, ~(size_t)0); }

// Does the work of all streams, those too that were destroyed with work left.
static void drain_all(Context *c) {
	std::vector<Stream *> streams;
	{
		std::lock_guard<std::mutex> hold(mutex);
		streams.assign(c->streams.begin(), c->streams.end());
	}
	for (Stream *s : streams) drain(s);
}

int fake_enqueue(void *handle, Work work) {
	if (int r = lost()) return r;
	Stream *s = stream_of(handle);
	if (!s) return INVALID_HANDLE;
	{
		std::lock_guard<std::mutex> hold(s->running);
		if (s->capturing) s->captured.push_back(std::move(work));
		else s->queue.push_back(std::move(work));
	}
	return handle ? SUCCESS : drain(s);
}

// Device memory ends where a page that nobody may touch begins: what goes beyond an
// allocation crashes there and then.
static const size_t PAGE = 4096;
static size_t pages(size_t n) { return (n + PAGE - 1) / PAGE * PAGE; }
static size_t aligned(size_t n) { return (n + 255) / 256 * 256; }

static bool guarded(uint64_t *p, size_t n) {
	char *at = (char *)mmap(nullptr, pages(n) + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || mprotect(at + pages(n), PAGE, PROT_NONE)) return false;
	*p = (uint64_t)at + pages(n) - aligned(n);
	memset((void *)*p, 0xff, aligned(n));
	return true;
}

static void unguarded(uint64_t p, size_t n) { munmap((void *)(p + aligned(n) - pages(n)), pages(n) + PAGE); }

static size_t alive(const Context &c) {
	size_t n = 0;
	for (const Stream *s : c.streams) n += !s->destroyed;
	return n;
}

// The parameters' sizes of each entry of PTX.
typedef std::map<std::string, std::vector<size_t>> Module;

static Module entries(const char *ptx) {
	static const char begin[] = ".visible .entry ";
	Module all;
	for (const char *at = strstr(ptx, begin); at; at = strstr(at + 1, begin)) {
		const char *name = at + sizeof begin - 1, *open = strchr(name, '('), *end = strstr(open, "\n)");
		std::vector<size_t> &sizes = all[std::string(name, open)];
		for (const char *p = strstr(open, ".param ."); p && p < end; p = strstr(p + 1, ".param ."))
			sizes.push_back(!strncmp(p + 9, "64", 2) ? 8 : !strncmp(p + 9, "32", 2) ? 4 : 0);
	}
	return all;
}

extern "C" {

int cuInit(unsigned) { return number("MONCAE_FAKE_INIT", SUCCESS); }

int cuGetErrorName(int code, const char **name) {
	static const std::map<int, const char *> names = {{OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"},
		{ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS"},
		{CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}, {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"}, {LAUNCH_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"}};
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
	std::lock_guard<std::mutex> hold(mutex);
	devices[device].retained++;
	*context = &devices[device];
	return SUCCESS;
}

// Ends a context that nobody uses any more. The engine leaves nothing in it but code.
int cuDevicePrimaryCtxRelease_v2(int device) {
	std::lock_guard<std::mutex> hold(mutex);
	Context &c = devices[device];
	if (c.retained <= 0) return INVALID_CONTEXT;
	if (--c.retained > 0) return SUCCESS;
	c.code.clear();
	if (c.lost || (c.memory.empty() && c.pinned.empty() && c.objects.empty() && alive(c) == 0)) return SUCCESS;
	fprintf(stderr, "fake libcuda: a context goes with %zu pieces of memory, %zu pinned ones, %zu streams, and %zu graphs and events\n", c.memory.size(), c.pinned.size(), alive(c), c.objects.size());
	abort();
}

int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
	devices[device].flags = flags;
	return SUCCESS;
}

int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
	std::lock_guard<std::mutex> hold(mutex);
	*flags = devices[device].flags, *active = devices[device].retained > 0;
	return SUCCESS;
}

int cuDevicePrimaryCtxReset_v2(int device) {
	std::lock_guard<std::mutex> hold(mutex);
	resets++;
	Context &c = devices[device];
	for (auto &m : c.memory) unguarded(m.first, m.second);
	for (auto &m : c.pinned) free((void *)m.first);
	for (Stream *s : c.streams) delete s;
	const int lost = number("MONCAE_FAKE_STICKY", 0) ? c.lost.load() : SUCCESS;
	const int retained = c.retained;
	c.~Context();
	new (&c) Context;
	c.lost = lost, c.retained = retained;
	return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
	current = (Context *)context;
	return SUCCESS;
}

// Waiting for a context is forbidden while any thread captures one of its streams.
int cuCtxSynchronize() {
	if (int r = lost()) return r;
	if (spins()) return INVALID_CONTEXT;
	bool spoiled = false;
	{
		std::lock_guard<std::mutex> hold(mutex);
		for (Stream *s : current->streams)
			if (s->capturing) s->spoiled = spoiled = true;
	}
	if (spoiled) return CAPTURE_UNSUPPORTED;
	drain_all(current);
	return lost();
}

int cuMemGetInfo_v2(size_t *available, size_t *total) {
	if (int r = lost()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	cuDeviceTotalMem_v2(total, 0);
	*available = *total > current->used ? *total - current->used : 0;
	return SUCCESS;
}

static int allocate(std::map<uint64_t, size_t> &memory, uint64_t *p, size_t n) {
	const size_t rounded = (n + 255) & ~(size_t)255;
	*p = (uint64_t)aligned_alloc(256, rounded);
	memset((void *)*p, 0xff, rounded);
	memory[*p] = n;
	return SUCCESS;
}

int cuMemAlloc_v2(uint64_t *p, size_t n) {
	if (int r = lost()) return r;
	if (int r = fake_forbidden()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	if (n == 0) return INVALID_VALUE;
	if (current->used + n > (size_t)number("MONCAE_FAKE_MEMORY", 4l << 30)) return OUT_OF_MEMORY;
	if (!guarded(p, n)) return OUT_OF_MEMORY;
	current->used += n;
	current->memory[*p] = n;
	return SUCCESS;
}

// Freeing waits for the device.
int cuMemFree_v2(uint64_t p) {
	if (int r = lost()) return r;
	if (int r = fake_forbidden()) return r;
	drain_all(current);
	std::lock_guard<std::mutex> hold(mutex);
	const auto it = current->memory.find(p);
	if (it == current->memory.end()) return INVALID_VALUE;
	current->used -= it->second;
	unguarded(p, it->second);
	current->memory.erase(it);
	return SUCCESS;
}

int cuMemAllocHost_v2(void **p, size_t n) {
	if (int r = lost()) return r;
	if (int r = fake_forbidden()) return r;
	std::lock_guard<std::mutex> hold(mutex);
	return n == 0 ? INVALID_VALUE : allocate(current->pinned, (uint64_t *)p, n);
}

int cuMemFreeHost(void *p) {
	if (int r = lost()) return r;
	if (int r = fake_forbidden()) return r;
	drain_all(current);
	std::lock_guard<std::mutex> hold(mutex);
	if (!current->pinned.erase((uint64_t)p)) return INVALID_VALUE;
	free(p);
	return SUCCESS;
}

// Pageable memory is copied at the call; pinned memory is read when the copy runs.
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *s) {
	if (int r = lost()) return r;
	if (int r = access(current, to, n, 1)) return r == ILLEGAL_ADDRESS ? INVALID_VALUE : r;
	bool pinned;
	{
		std::lock_guard<std::mutex> hold(mutex);
		pinned = within(current->pinned, (uint64_t)from, n);
	}
	std::shared_ptr<std::vector<char>> staged;
	if (!pinned) staged = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + n);
	return fake_enqueue(s, [=] {
		memcpy((void *)to, pinned ? from : staged->data(), n);
		return SUCCESS;
	});
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *s) {
	if (int r = lost()) return r;
	if (int r = access(current, from, n, 1)) return r == ILLEGAL_ADDRESS ? INVALID_VALUE : r;
	return fake_enqueue(s, [=] {
		memcpy(to, (void *)from, n);
		return SUCCESS;
	});
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t n) {
	if (int r = fake_forbidden()) return r;
	return cuMemcpyHtoDAsync_v2(to, from, n, nullptr);
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t n) {
	if (int r = fake_forbidden()) return r;
	return cuMemcpyDtoHAsync_v2(to, from, n, nullptr);
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *s) {
	if (int r = lost()) return r;
	for (uint64_t p : {to, from})
		if (int r = access(current, p, n, 1)) return r == ILLEGAL_ADDRESS ? INVALID_VALUE : r;
	return fake_enqueue(s, [=] {
		memcpy((void *)to, (void *)from, n);
		return SUCCESS;
	});
}
int cuMemsetD8Async(uint64_t p, unsigned char v, size_t n, void *s) {
	if (int r = lost()) return r;
	if (access(current, p, n, 1)) return INVALID_VALUE;
	return fake_enqueue(s, [=] {
		memset((void *)p, v, n);
		return SUCCESS;
	});
}

int cuMemsetD32Async(uint64_t p, uint32_t v, size_t n, void *s) {
	if (int r = lost()) return r;
	if (access(current, p, 4 * n, 4)) return INVALID_VALUE;
	return fake_enqueue(s, [=] {
		std::fill((uint32_t *)p, (uint32_t *)p + n, v);
		return SUCCESS;
	});
}

int cuStreamCreate(void **s, unsigned flags) {
	if (int r = lost()) return r;
	if (flags != 1) return INVALID_VALUE; // a blocking stream waits for the null stream, which a capture forbids
	std::lock_guard<std::mutex> hold(mutex);
	auto stream = new Stream;
	stream->context = current;
	current->streams.insert(stream);
	*s = stream;
	return SUCCESS;
}

// Work that is left goes on, and runs when the context or an allocation is next waited for.
int cuStreamDestroy_v2(void *s) {
	Stream *stream = stream_of(s);
	if (!stream) return INVALID_HANDLE;
	std::lock_guard<std::mutex> hold(mutex);
	stream->destroyed = true;
	return SUCCESS;
}

int cuStreamSynchronize(void *s) {
	if (int r = lost()) return r;
	if (spins()) return INVALID_CONTEXT;
	Stream *stream = stream_of(s);
	if (!stream) return INVALID_HANDLE;
	if (stream->capturing) {
		stream->spoiled = true;
		return CAPTURE_UNSUPPORTED;
	}
	return drain(stream);
}

int cuEventCreate(void **event, unsigned flags) {
	if (int r = lost()) return r;
	if (!(flags & BLOCKING_EVENT)) return INVALID_VALUE; // a wait for it would keep a processor
	*event = keep(&Context::objects, new Event);
	return SUCCESS;
}

int cuEventDestroy_v2(void *event) {
	destroy(&Context::objects, event);
	return SUCCESS;
}

int cuEventRecord(void *event, void *s) {
	if (int r = lost()) return r;
	Stream *stream = stream_of(s);
	if (!stream || stream->capturing) return INVALID_HANDLE;
	std::lock_guard<std::mutex> hold(stream->running);
	*(Event *)event = {stream, stream->done + stream->queue.size()};
	return SUCCESS;
}

int cuEventSynchronize(void *event) {
	if (int r = lost()) return r;
	const Event *e = (Event *)event;
	return e->stream ? drain(e->stream, e->after) : SUCCESS;
}

int cuModuleLoadData(void **module, const void *image) {
	if (int r = lost()) return r;
	if (int r = fake_forbidden()) return r;
	if (!strstr((const char *)image, ".version 8.1") || getenv("MONCAE_FAKE_JIT")) return INVALID_IMAGE;
	*module = keep(&Context::code, new Module(entries((const char *)image)));
	return SUCCESS;
}

// Options: the log of errors (5) and its size (6).
int cuModuleLoadDataEx(void **module, const void *image, unsigned n, int *options, void **values) {
	const int r = cuModuleLoadData(module, image);
	const char *log = getenv("MONCAE_FAKE_JIT");
	if (log && n == 2 && options[0] == 5 && options[1] == 6) snprintf((char *)values[0], (size_t)values[1], "%s", log);
	return r;
}

int cuModuleUnload(void *module) {
	destroy(&Context::code, module);
	return SUCCESS;
}

int cuModuleGetFunction(void **f, void *module, const char *name) {
	const auto it = emulator::kernels().find(name);
	const auto entry = ((Module *)module)->find(name);
	if (entry == ((Module *)module)->end() || it == emulator::kernels().end()) return NOT_FOUND;
	if (entry->second != it->second.sizes) {
		fprintf(stderr, "fake libcuda: the PTX and the source of %s have other parameters\n", name);
		return INVALID_IMAGE;
	}
	*f = keep(&Context::code, new Function{name, &it->second});
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
		for (size_t i = 0; i < values.size(); i++) {
			pointers[i] = (void *)&values[i];
			const size_t alignment = f->kernel->alignments[i];
			if (!alignment || !values[i]) continue;
			if (int r = access(current, values[i], alignment, alignment)) {
				fprintf(stderr, "fake libcuda: %s: argument %zu points to %s\n", f->name.c_str(), i, r == MISALIGNED_ADDRESS ? "no multiple of its alignment" : "no live memory");
				return r;
			}
		}
		if (const char *folder = getenv("MONCAE_FAKE_RECORD")) {
			std::lock_guard<std::mutex> hold(mutex);
			record::write(folder, f->name, *f->kernel, dim3{gx, gy, gz}, dim3{bx, by, bz}, values, current->memory);
		}
		if (emulator::run(*f->kernel, dim3{gx, gy, gz}, dim3{bx, by, bz}, pointers.data())) return (int)SUCCESS;
		fprintf(stderr, "fake libcuda: %s: a barrier that not all threads reach\n", f->name.c_str());
		return (int)ILLEGAL_ADDRESS;
	});
}

// Captures are of the mode THREAD_LOCAL: the same thread begins and ends them.
int cuStreamBeginCapture_v2(void *s, int mode) {
	if (int r = lost()) return r;
	Stream *stream = stream_of(s);
	if (!s || !stream || stream->capturing || capturing) return INVALID_HANDLE;
	if (mode != 1) return INVALID_VALUE;
	capturing = stream;
	stream->capturing = true;
	stream->spoiled = false;
	stream->captured.clear();
	return SUCCESS;
}

int cuStreamEndCapture(void *s, void **graph) {
	Stream *stream = stream_of(s);
	*graph = nullptr;
	if (!stream || !stream->capturing) return INVALID_HANDLE;
	if (capturing != stream) return CAPTURE_WRONG_THREAD;
	capturing = nullptr;
	stream->capturing = false;
	if (stream->spoiled) return CAPTURE_INVALIDATED;
	*graph = keep(&Context::objects, new std::vector<Work>(std::move(stream->captured)));
	return SUCCESS;
}

int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long) {
	*exec = keep(&Context::objects, new std::vector<Work>(*(std::vector<Work> *)graph));
	return SUCCESS;
}

int cuGraphLaunch(void *exec, void *s) {
	for (auto &work : *(std::vector<Work> *)exec)
		if (int r = fake_enqueue(s, work)) return r;
	return SUCCESS;
}

int cuGraphDestroy(void *graph) {
	destroy(&Context::objects, graph);
	return SUCCESS;
}

int cuGraphExecDestroy(void *exec) {
	destroy(&Context::objects, exec);
	return SUCCESS;
}
}
