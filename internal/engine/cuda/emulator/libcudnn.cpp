// A libcudnn.so.9 with the graph API that internal/engine/cuda/cudnn calls, for graphs
// of one convolution, which it computes as plain loops over NHWC tensors. See README.md.
#include "../cudnn/constants.h"
#include "fake.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#define NUMBER(name, number) name = number,
enum { CUDNN_CONSTANTS(NUMBER) };
enum { SUCCESS = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, INTERNAL_ERROR = 4000, EXECUTION_FAILED = 5000 };

struct Descriptor;

struct Handle {
	void *stream = nullptr;
	long generation = fake_generation();
	std::set<const Descriptor *> loaded; // plans whose code is on the device
};

struct Attribute {
	int type;
	int64_t count;
	std::vector<char> bytes;
	template <class T> T at(int64_t i = 0) const {
		T v;
		memcpy(&v, &bytes[i * sizeof(T)], sizeof(T));
		return v;
	}
};

// A way to compute a convolution that the heuristics propose.
struct Proposal {
	int engine;
	std::vector<int> notes;
	int64_t workspace;
	int status; // of making a plan of it
};

struct Descriptor {
	int kind;
	bool final = false;
	long generation = fake_generation();
	std::map<int, Attribute> attributes;
	Descriptor *graph = nullptr;        // that an engine configuration is for
	const Proposal *proposal = nullptr; // that it, or an engine, is of
	template <class T> T get(int name, int64_t i = 0) const { return attributes.at(name).at<T>(i); }
	Descriptor *part(int name) const { return get<Descriptor *>(name); }
};

static std::mutex mutex; // of what follows
static std::set<Descriptor *> descriptors;
static std::set<Handle *> handles;

static int say(const char *what, int status = BAD_PARAM) {
	fprintf(stderr, "fake libcudnn: %s\n", what);
	return status;
}

static Descriptor *alive(Descriptor *d) {
	std::lock_guard<std::mutex> hold(mutex);
	return descriptors.count(d) ? d : nullptr;
}

// What MONCAE_FAKE_CUDNN_FAIL=name:status, or name/kind:status for one kind of
// descriptor, has a function return; and what MONCAE_FAKE_CUDNN_CALL=n:status:file has
// call number n, from 0, of all functions return, when the file is made.
static int failure(const char *name, int kind) {
	if (const char *s = getenv("MONCAE_FAKE_CUDNN_FAIL")) {
		const std::string whole = std::string(name) + ":", one = std::string(name) + "/" + std::to_string(kind) + ":";
		for (const std::string &begin : {whole, one})
			if (!strncmp(s, begin.c_str(), begin.size())) return atoi(s + begin.size());
	}
	const char *s = getenv("MONCAE_FAKE_CUDNN_CALL");
	if (!s) return SUCCESS;
	static std::map<std::string, long> calls;
	std::lock_guard<std::mutex> hold(mutex);
	char *status, *file;
	if (calls[s]++ != strtol(s, &status, 10)) return SUCCESS;
	const int given = (int)strtol(status + 1, &file, 10);
	if (FILE *f = fopen(file + 1, "w")) fclose(f);
	return given;
}
#define MAY_FAIL(kind) if (int s_ = failure(__func__, kind)) return s_

static size_t size_of(int type) {
	switch (type) {
	case CUDNN_TYPE_CHAR: return 1;
	case CUDNN_TYPE_DATA_TYPE: case CUDNN_TYPE_FLOAT: case CUDNN_TYPE_CONVOLUTION_MODE: case CUDNN_TYPE_HEUR_MODE: case CUDNN_TYPE_NUMERICAL_NOTE: return 4;
	}
	return 8;
}

// What each kind of descriptor must have when it is finalised; a count of 0: any number.
struct Wanted {
	int name, type;
	int64_t count;
	int kind = -1; // of a descriptor
};

#define OPERATION(prefix, x, w, y) \
	{prefix##_ALPHA, CUDNN_TYPE_FLOAT, 1}, {prefix##_BETA, CUDNN_TYPE_FLOAT, 1}, {prefix##_CONV_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR}, \
		{x, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR}, {w, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR}, \
		{y, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR}

static const std::map<int, std::vector<Wanted>> &wanted() {
	static const std::map<int, std::vector<Wanted>> all = {
		{CUDNN_BACKEND_TENSOR_DESCRIPTOR, {{CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1}, {CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4}, {CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4},
			{CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1}, {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1}}},
		{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1}, {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1},
			{CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1}, {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2}, {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2},
			{CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2}, {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2}}},
		{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, {OPERATION(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y)}},
		{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, {OPERATION(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY)}},
		{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, {OPERATION(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY)}},
		{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, {{CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1}, {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1}}},
		{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, {{CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR}, {CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1}}},
		{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, {}},
		{CUDNN_BACKEND_ENGINE_DESCRIPTOR, {}},
		{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, {{CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR}, {CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1}}},
		{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 3}, {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3}, {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1}}},
	};
	return all;
}

// A tensor, or a filter, of which n is the number of outputs.
struct Tensor {
	int type, n, c, h, w;
	int64_t name;
	explicit Tensor(const Descriptor &d) : type(d.get<int>(CUDNN_ATTR_TENSOR_DATA_TYPE)), name(d.get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)) {
		int *const dims[] = {&n, &c, &h, &w};
		for (int i = 0; i < 4; i++) *dims[i] = (int)d.get<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, i);
	}
	size_t elements() const { return (size_t)n * c * h * w; }
	size_t bytes() const { return elements() * (type == CUDNN_DATA_FLOAT ? 4 : 2); }
};

static bool is_nhwc(const Descriptor &d) {
	const Tensor t(d);
	const int64_t strides[] = {(int64_t)t.h * t.w * t.c, 1, (int64_t)t.w * t.c, t.c};
	for (int i = 0; i < 4; i++)
		if (d.get<int64_t>(CUDNN_ATTR_TENSOR_STRIDES, i) != strides[i]) return false;
	return (t.type == CUDNN_DATA_FLOAT || t.type == CUDNN_DATA_BFLOAT16) && d.get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) == 16;
}

// The one operation of a graph.
struct Convolution {
	int kind;
	Tensor x, w, y;
	int pad, stride;
	bool rounds = false; // float32 to TF32, as tensor cores do

	static Convolution of(const Descriptor &op) {
		switch (op.kind) {
		case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
			return Convolution(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
		case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
			return Convolution(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
		}
		return Convolution(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
	}
	bool fits() const {
		return x.n == y.n && x.c == w.c && w.n == y.c && stride > 0 && y.h == (x.h + 2 * pad - w.h) / stride + 1 && y.w == (x.w + 2 * pad - w.w) / stride + 1 && x.type == w.type && x.type == y.type;
	}
	const Tensor &result() const {
		return kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ? y : kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ? x : w;
	}

private:
	Convolution(const Descriptor &op, int conv, int x, int w, int y)
		: kind(op.kind), x(*op.part(x)), w(*op.part(w)), y(*op.part(y)), pad((int)op.part(conv)->get<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)), stride((int)op.part(conv)->get<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)) {}
};

static Convolution convolution_of(const Descriptor &graph) { return Convolution::of(*graph.part(CUDNN_ATTR_OPERATIONGRAPH_OPS)); }

// Best first, as cuDNN proposes: what isn't deterministic, what wants too much memory,
// what can't be made, what rounds in ways that nobody asked for, and at last what is right;
// of the exact ways, for an odd number of outputs, only the one that always goes.
static std::vector<const Proposal *> proposals(const Descriptor &graph, int mode) {
	static const Proposal best[] = {
		{10, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, 0, SUCCESS},
		{11, {}, (int64_t)1 << 40, SUCCESS},
		{12, {}, 0, NOT_SUPPORTED},
		{13, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, 0, SUCCESS},
		{14, {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, 0, SUCCESS},
		{15, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 1024, SUCCESS},
		{16, {}, 0, SUCCESS},
	};
	static const Proposal fallback[] = {{1, {}, 2048, SUCCESS}};
	std::vector<const Proposal *> all;
	if (mode == CUDNN_HEUR_MODE_FALLBACK) return {&fallback[0]};
	for (const Proposal &p : best)
		if (p.engine < 16 || convolution_of(graph).y.c % 2 == 0) all.push_back(&p);
	return all;
}

// What is wrong with a descriptor whose attributes are all there.
static int check(const Descriptor &d) {
	switch (d.kind) {
	case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return is_nhwc(d) ? SUCCESS : say("a tensor that isn't NHWC, or not of a known type");
	case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: {
		const auto same = [&](int name) { return d.get<int64_t>(name, 0) == d.get<int64_t>(name, 1); };
		const bool plain = same(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS) && same(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES) && same(CUDNN_ATTR_CONVOLUTION_DILATIONS) && d.get<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS) == 1 &&
			d.get<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS) == d.get<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS) && d.get<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) == 2;
		return plain && d.get<int>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) == CUDNN_DATA_FLOAT && d.get<int>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION ? SUCCESS : say("a convolution that nobody here makes");
	}
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: return Convolution::of(d).fits() ? SUCCESS : say("shapes that don't fit");
	case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
		if (fake_forbidden()) return EXECUTION_FAILED; // code is loaded
		if (fake_dead(d.get<Handle *>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)->stream)) return say("a handle whose stream was destroyed");
		return d.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->proposal->status;
	}
	return SUCCESS;
}

// Gives values to who asked for at most `most` of them.
template <class T> static int give(const std::vector<T> &values, int64_t most, int64_t *count, void *to) {
	*count = (int64_t)values.size();
	memcpy(to, values.data(), sizeof(T) * (size_t)std::min(most, *count));
	return SUCCESS;
}

static int configure(const Descriptor &heuristics, int64_t most, int64_t *count, Descriptor **to) {
	Descriptor *graph = heuristics.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
	const auto all = proposals(*graph, heuristics.get<int>(CUDNN_ATTR_ENGINEHEUR_MODE));
	*count = (int64_t)all.size();
	for (int64_t i = 0; i < std::min(most, *count); i++) {
		Descriptor *config = alive(to[i]);
		if (!config || config->kind != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) return say("no configuration to put a proposal into");
		config->graph = graph;
		config->proposal = all[i];
		config->final = true;
	}
	return SUCCESS;
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

void cudnnGetLastErrorString(char *text, size_t bytes) { snprintf(text, bytes, "said by the fake"); }

int cudnnCreate(Handle **h) {
	MAY_FAIL(-1);
	if (fake_forbidden()) return EXECUTION_FAILED;
	*h = new Handle;
	std::lock_guard<std::mutex> hold(mutex);
	handles.insert(*h);
	return SUCCESS;
}

// With the last handle all descriptors must be gone, but those that went with a context.
int cudnnDestroy(Handle *h) {
	const int failed = failure(__func__, -1);
	std::lock_guard<std::mutex> hold(mutex);
	if (!handles.erase(h)) return say("a handle is destroyed that isn't there");
	const long generation = h->generation;
	delete h;
	for (Handle *other : handles)
		if (other->generation == generation) return failed;
	for (Descriptor *d : descriptors)
		if (d->generation == generation) return say("descriptors are left when the last handle goes", INTERNAL_ERROR);
	return failed;
}

int cudnnSetStream(Handle *h, void *stream) {
	MAY_FAIL(-1);
	h->stream = stream;
	return SUCCESS;
}

int cudnnBackendCreateDescriptor(int kind, Descriptor **d) {
	MAY_FAIL(kind);
	if (!wanted().count(kind)) return say("a kind of descriptor that nobody here makes");
	*d = new Descriptor{kind};
	std::lock_guard<std::mutex> hold(mutex);
	descriptors.insert(*d);
	return SUCCESS;
}

int cudnnBackendDestroyDescriptor(Descriptor *d) {
	const int failed = failure(__func__, -1);
	std::lock_guard<std::mutex> hold(mutex);
	if (!descriptors.erase(d)) return say("a descriptor is destroyed that isn't there");
	for (Handle *h : handles) h->loaded.erase(d);
	delete d;
	return failed;
}

int cudnnBackendSetAttribute(Descriptor *d, int name, int type, int64_t count, const void *values) {
	if (!alive(d) || d->final) return say("an attribute is set of what isn't there, or is final");
	MAY_FAIL(d->kind);
	for (const Wanted &w : wanted().at(d->kind)) {
		if (w.name != name) continue;
		if (w.type != type || w.count != count) return say("an attribute of another type or length");
		for (int64_t i = 0; type == CUDNN_TYPE_BACKEND_DESCRIPTOR && i < count; i++) {
			Descriptor *part = alive(((Descriptor *const *)values)[i]);
			if (!part || !part->final || (w.kind >= 0 && part->kind != w.kind)) return say("an attribute that isn't there, isn't final, or of another kind");
		}
		d->attributes[name] = {type, count, std::vector<char>((const char *)values, (const char *)values + count * size_of(type))};
		return SUCCESS;
	}
	return say("an attribute that this kind hasn't");
}

int cudnnBackendFinalize(Descriptor *d) {
	if (!alive(d) || d->final) return say("what isn't there, or is final, is finalised");
	MAY_FAIL(d->kind);
	for (const Wanted &w : wanted().at(d->kind))
		if (!d->attributes.count(w.name)) return say("an attribute is missing");
	if (int s = check(*d)) return s;
	d->final = true;
	return SUCCESS;
}

int cudnnBackendGetAttribute(Descriptor *d, int name, int type, int64_t most, int64_t *count, void *to) {
	if (!alive(d) || !d->final) return say("an attribute is read of what isn't there, or isn't final");
	MAY_FAIL(d->kind);
	switch (d->kind << 16 | name) {
	case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR << 16 | CUDNN_ATTR_ENGINEHEUR_RESULTS: return configure(*d, most, count, (Descriptor **)to);
	case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR << 16 | CUDNN_ATTR_ENGINECFG_ENGINE: {
		Descriptor *engine = alive(*(Descriptor **)to);
		if (!engine || engine->kind != CUDNN_BACKEND_ENGINE_DESCRIPTOR) return say("no engine to put one into");
		engine->proposal = d->proposal;
		engine->final = true;
		*count = 1;
		return SUCCESS;
	}
	case CUDNN_BACKEND_ENGINE_DESCRIPTOR << 16 | CUDNN_ATTR_ENGINE_GLOBAL_INDEX: return give(std::vector<int64_t>{d->proposal->engine}, most, count, to);
	case CUDNN_BACKEND_ENGINE_DESCRIPTOR << 16 | CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: return give(d->proposal->notes, most, count, to);
	case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR << 16 | CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
		return give(std::vector<int64_t>{d->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->proposal->workspace}, most, count, to);
	}
	return say("an attribute that nobody here reads");
}

}

static float get(const void *p, int type, size_t i, bool rounds) {
	uint32_t u;
	if (type == CUDNN_DATA_FLOAT) memcpy(&u, (const float *)p + i, 4);
	else u = (uint32_t)((const uint16_t *)p)[i] << 16;
	if (rounds && type == CUDNN_DATA_FLOAT && (u & 0x7f800000u) != 0x7f800000u) u = (u + 0x1000u) & ~0x1fffu;
	float f;
	memcpy(&f, &u, 4);
	return f;
}

static void put(void *p, int type, size_t i, float v) {
	if (type == CUDNN_DATA_FLOAT) {
		((float *)p)[i] = v;
		return;
	}
	uint32_t u;
	memcpy(&u, &v, 4);
	((uint16_t *)p)[i] = (uint16_t)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
}

// Calls f(x index, w index, y index) for every product of the convolution.
template <class F> static void products(const Convolution &conv, F f) {
	const Tensor &x = conv.x, &w = conv.w, &y = conv.y;
	for (int n = 0; n < y.n; n++)
		for (int oy = 0; oy < y.h; oy++)
			for (int ox = 0; ox < y.w; ox++)
				for (int o = 0; o < y.c; o++)
					for (int ky = 0; ky < w.h; ky++)
						for (int kx = 0; kx < w.w; kx++) {
							const int iy = oy * conv.stride - conv.pad + ky, ix = ox * conv.stride - conv.pad + kx;
							if (iy < 0 || ix < 0 || iy >= x.h || ix >= x.w) continue;
							for (int c = 0; c < x.c; c++)
								f((((size_t)n * x.h + iy) * x.w + ix) * x.c + c, (((size_t)o * w.h + ky) * w.w + kx) * x.c + c, (((size_t)n * y.h + oy) * y.w + ox) * y.c + o);
						}
}

static void compute(const Convolution &conv, void *x, void *w, void *y) {
	const int type = conv.x.type;
	double *sums = (double *)calloc(conv.result().elements(), sizeof(double));
	const auto of = [&](const void *p, size_t i) { return (double)get(p, type, i, conv.rounds); };
	void *out = y;
	switch (conv.kind) {
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: products(conv, [&](size_t i, size_t j, size_t o) { sums[o] += of(x, i) * of(w, j); }); break;
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
		out = x;
		products(conv, [&](size_t i, size_t j, size_t o) { sums[i] += of(y, o) * of(w, j); });
		break;
	default:
		out = w;
		products(conv, [&](size_t i, size_t j, size_t o) { sums[j] += of(y, o) * of(x, i); });
	}
	for (size_t i = 0; i < conv.result().elements(); i++) put(out, type, i, (float)sums[i]);
	free(sums);
}

// The place that a pack gives to a tensor.
static void *place(const Descriptor &pack, const Tensor &t) {
	for (int i = 0; i < 3; i++)
		if (pack.get<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, i) == t.name) return pack.get<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, i);
	return nullptr;
}

// Whether a handle runs a plan for the first time.
static bool first_run(Handle *h, const Descriptor *plan) {
	std::lock_guard<std::mutex> hold(mutex); // another thread that destroys a plan looks through all handles
	return h->loaded.insert(plan).second;
}

extern "C" int cudnnBackendExecute(Handle *h, Descriptor *plan, Descriptor *pack) {
	MAY_FAIL(-1);
	if (!alive(plan) || !plan->final || !alive(pack) || !pack->final) return say("what runs isn't there, or isn't final");
	if (plan->get<Handle *>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE) != h) return say("a plan runs with another handle than its own");
	// What may not be in a capture: the first run of a plan, for which code is loaded.
	if (first_run(h, plan) && fake_capturing(h->stream) && fake_forbidden()) return EXECUTION_FAILED;
	const Descriptor &config = *plan->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
	Convolution conv = convolution_of(*config.graph);
	for (int note : config.proposal->notes) conv.rounds = conv.rounds || note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
	void *x = place(*pack, conv.x), *w = place(*pack, conv.w), *y = place(*pack, conv.y), *scratch = pack->get<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
	const size_t bytes = (size_t)config.proposal->workspace;
	// Tensor cores load 16 bytes at once: every tensor and the workspace must be aligned,
	// and wholly in live memory. The workspace is scribbled over, as cuDNN does.
	const int queued = fake_enqueue(h->stream, [=] {
		for (int r : {fake_access(x, conv.x.bytes(), 16), fake_access(w, conv.w.bytes(), 16), fake_access(y, conv.y.bytes(), 16), bytes ? fake_access(scratch, bytes, 16) : 0})
			if (r) return say("a tensor that is not aligned to 16 bytes, or not in live memory", r);
		if (bytes) memset(scratch, 0xff, bytes);
		compute(conv, x, w, y);
		return 0;
	});
	return queued ? EXECUTION_FAILED : SUCCESS;
}
