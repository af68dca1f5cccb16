// What the emulator tells ThreadSanitizer where it is built with MONCAE_TSAN (itself
// without a sanitizer): each CUDA thread is a thread of its own, ordered behind the
// launch's begin, before its end, and by barriers alone, though the threads run in turn.
// For that each has a stack that no other had, each block shared memory of its own, and
// of a large grid some blocks stand for all.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace emulator {

#ifdef MONCAE_TSAN

extern "C" {
void *__tsan_get_current_fiber();
void *__tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void *);
void __tsan_switch_to_fiber(void *, unsigned);
void __tsan_acquire(void *);
void __tsan_release(void *);
}

class Races {
	static const int no_order = 1;
	void *main = nullptr;
	std::vector<void *> all;     // threads of the launch
	size_t first = 0;            // of the block, among all
	char *arrays[256] = {};      // the block's, by key
	char *barrier = nullptr;     // the block's, a place for ThreadSanitizer
	alignas(64) char memory[1 << 20]; // of the launch's blocks
	char *free = memory;

	char *take(size_t bytes) {
		char *p = free;
		free += (bytes + 63) / 64 * 64;
		if (free > memory + sizeof memory) abort();
		return p;
	}

public:
	static const bool on = true;

	void launch(std::vector<unsigned> &blocks) {
		const size_t n = blocks.size();
		if (!barriers_work)
			blocks = {blocks[0]};
		else if (n > 4)
			blocks = {blocks[0], blocks[1], blocks[n - 2], blocks[n - 1]};
		main = __tsan_get_current_fiber();
		free = memory;
		std::fill(memory, memory + sizeof memory, (char)0xff);
	}
	void block(unsigned threads) {
		std::fill(arrays, std::end(arrays), nullptr);
		barrier = take(1);
		first = all.size();
		for (unsigned t = 0; t < threads; t++) all.push_back(__tsan_create_fiber(0));
	}
	void *shared(int key, size_t bytes) {
		if (key >= 256) abort();
		char *&p = arrays[key];
		return p ? p : p = take(bytes);
	}
	void enter(unsigned thread) { __tsan_switch_to_fiber(all[first + thread], no_order); }
	void leave() { __tsan_switch_to_fiber(main, no_order); }
	void arrive() { __tsan_release(barrier); }
	void pass() { __tsan_acquire(barrier); }
	void end() { __tsan_release(this); }
	void ended() {
		__tsan_acquire(this);
		for (void *t : all) __tsan_destroy_fiber(t);
		all.clear();
	}
};

#else

class Races {
public:
	static const bool on = false;
	void launch(std::vector<unsigned> &) {}
	void block(unsigned) {}
	void *shared(int, size_t) { return nullptr; }
	void enter(unsigned) {}
	void leave() {}
	void arrive() {}
	void pass() {}
	void end() {}
	void ended() {}
};

#endif

} // namespace emulator
