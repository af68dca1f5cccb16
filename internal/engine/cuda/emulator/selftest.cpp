// What the emulator must notice: a barrier that part of a block skips, shared
// memory that is read before it is written, and a missing barrier.
#include "emulator.h"

#include <cstdio>

extern "C" void divergent(float *out) {
	if (threadIdx.x < 16) __syncthreads();
	out[threadIdx.x] = 1;
}
REGISTER(divergent)

extern "C" void unwritten(float *out) {
	SHARED(float, s, 64);
	out[threadIdx.x] = s[threadIdx.x];
}
REGISTER(unwritten)

extern "C" void unsynchronised(float *out) {
	SHARED(float, s, 64);
	s[threadIdx.x] = (float)threadIdx.x;
	out[threadIdx.x] = s[63 - threadIdx.x];
}
REGISTER(unsynchronised)

extern "C" void synchronised(float *out) {
	SHARED(float, s, 64);
	s[threadIdx.x] = (float)threadIdx.x;
	__syncthreads();
	out[threadIdx.x] = s[63 - threadIdx.x];
}
REGISTER(synchronised)

static float out[64];

static bool run(const char *name) {
	float *p = out;
	void *args[] = {&p};
	return emulator::run(emulator::kernels().at(name), dim3{1, 1, 1}, dim3{64, 1, 1}, args);
}

static bool reversed() {
	for (int i = 0; i < 64; i++)
		if (out[i] != 63 - i) return false;
	return true;
}

static int failures;

static void expect(bool ok, const char *what) {
	if (!ok) {
		failures++;
		printf("emulator: %s\n", what);
	}
}

int main() {
	expect(!run("divergent"), "a divergent barrier passes");
	expect(run("unwritten") && out[5] != out[5], "unwritten shared memory is a number");
	expect(run("unsynchronised") && !reversed(), "a missing barrier doesn't show");
	expect(run("synchronised") && reversed(), "a right kernel gives a wrong result");
	setenv("MONCAE_EMULATOR_SHUFFLE", "7", 1);
	expect(run("unsynchronised") && !reversed(), "a missing barrier doesn't show in another order");
	expect(run("synchronised") && reversed(), "a right kernel gives a wrong result in another order");
	return failures != 0;
}
