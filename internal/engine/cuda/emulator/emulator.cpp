#include "emulator.h"
#include "races.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>

thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

// Saves the callee's registers on the stack, its place in *save, and goes on at `to`.
extern "C" void emulator_switch(void **save, void *to);
asm(R"(
.text
.globl emulator_switch
.type emulator_switch, @function
emulator_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
.size emulator_switch, .-emulator_switch
)");

namespace emulator {

bool barriers_work = true;
thread_local unsigned barriers_met;
int reports;

#ifdef MONCAE_TSAN
extern "C" void __tsan_on_report(void *) { reports++; } // here, for code that is watched may not count
#endif

namespace {

enum State { NEW, READY, WAITING, DONE };

struct Fiber {
	void *place;
	std::unique_ptr<char[]> stack;
};

// A block in the run. One fiber carries threads until one of them waits.
struct Scheduler {
	void *main;
	std::vector<std::unique_ptr<Fiber>> fibers;
	std::vector<Fiber *> idle;
	std::vector<State> states;
	std::vector<Fiber *> owners;
	std::vector<unsigned> order;
	std::map<int, std::vector<char>> memory;
	const Kernel *kernel;
	void **args;
	unsigned threads, next, current;
	Fiber *running;
};

thread_local Scheduler S;
Races races; // of the one thread that launches, where it is on

void become(unsigned t) {
	S.current = t;
	threadIdx = {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
	races.enter(t);
}

void carry() {
	for (;;) {
		Fiber *me = S.running;
		while (S.next < S.threads) {
			const unsigned t = S.order[S.next++];
			become(t);
			S.states[t] = READY;
			S.owners[t] = me;
			S.kernel->call(S.args);
			races.end();
			races.leave();
			S.states[S.current] = DONE;
			me = S.running;
			if (Races::on) break;
		}
		if (!Races::on) S.idle.push_back(me);
		emulator_switch(&me->place, S.main);
	}
}

Fiber *fiber() {
	if (!S.idle.empty()) {
		Fiber *f = S.idle.back();
		S.idle.pop_back();
		return f;
	}
	const size_t size = 64 << 10;
	auto f = std::make_unique<Fiber>();
	f->stack.reset(new char[size]);
	void **top = (void **)(((uintptr_t)f->stack.get() + size) & ~(uintptr_t)15);
	*--top = nullptr; // where carry would return to, so that its stack is aligned
	*--top = (void *)carry;
	top -= 6;
	std::fill(top, top + 6, nullptr);
	f->place = top;
	S.fibers.push_back(std::move(f));
	return S.fibers.back().get();
}

bool block() {
	S.next = 0;
	S.states.assign(S.threads, NEW);
	S.owners.assign(S.threads, nullptr);
	races.block(S.threads);
	for (auto &m : S.memory) std::fill(m.second.begin(), m.second.end(), (char)0xff);
	for (;;) {
		while (S.next < S.threads) {
			S.running = fiber();
			emulator_switch(&S.main, S.running->place);
		}
		for (unsigned t : S.order)
			if (S.states[t] == READY) {
				S.running = S.owners[t];
				emulator_switch(&S.main, S.running->place);
			}
		const auto waiting = std::count(S.states.begin(), S.states.end(), WAITING);
		if (waiting == 0) return true;
		if (waiting != (long)S.threads) return false; // some threads have ended
		std::fill(S.states.begin(), S.states.end(), READY);
	}
}

} // namespace

void barrier() {
	barriers_met++;
	if (!barriers_work) return;
	const unsigned t = S.current;
	Fiber *me = S.running;
	S.states[t] = WAITING;
	races.arrive();
	races.leave();
	emulator_switch(&me->place, S.main);
	become(t);
	races.pass();
}

void *shared(int key, size_t bytes) {
	if (Races::on) return races.shared(key, bytes);
	auto &m = S.memory[key];
	if (m.size() < bytes) m.assign(bytes, (char)0xff);
	return m.data();
}

std::unordered_map<std::string, Kernel> &kernels() {
	static std::unordered_map<std::string, Kernel> table;
	return table;
}

bool run(const Kernel &kernel, dim3 grid, dim3 block_size, void **args) {
	S.kernel = &kernel;
	S.args = args;
	S.memory.clear();
	gridDim = grid;
	blockDim = block_size;
	S.threads = block_size.x * block_size.y * block_size.z;
	S.order.resize(S.threads);
	for (unsigned t = 0; t < S.threads; t++) S.order[t] = t;
	std::vector<unsigned> blocks((size_t)grid.x * grid.y * grid.z);
	for (size_t i = 0; i < blocks.size(); i++) blocks[i] = (unsigned)i;
	if (const char *seed = getenv("MONCAE_EMULATOR_SHUFFLE")) {
		std::mt19937 random((unsigned)atoi(seed));
		std::shuffle(S.order.begin(), S.order.end(), random);
		std::shuffle(blocks.begin(), blocks.end(), random);
	}
	races.launch(blocks);
	bool whole = true;
	for (size_t i = 0; i < blocks.size() && whole; i++) {
		const unsigned at = blocks[i];
		blockIdx = {at % grid.x, at / grid.x % grid.y, at / (grid.x * grid.y)};
		whole = block();
	}
	races.ended();
	if (Races::on) S.fibers.clear();
	return whole;
}

} // namespace emulator
