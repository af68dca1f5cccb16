// The end of a training step, in two launches: the last sums of its gradients and its
// loss, then the update of all parameters: p, g and the optimiser's two slots are flat
// vectors of one length, and half, which may be null, is p in bf16.
#include "sums.cuh"

// A block's share of the step's sums. What is at `from` and `to` counts in bytes from the
// program's block of memory: package plan writes this (sums.go).
struct Sum {
	uint64_t from, to;
	int parts;      // of width values each, which are added
	uint32_t width;
	uint32_t first; // column of the block
	int wide;       // columns of the block; 0: HALVES of one part, which is bf16
};

enum { HALVES = 1024 };

// Block 0 writes the mean of the step's loss to losses[slot], and counts the step: what
// comes after it in the step finds its rate at slot − 1. The others have a Sum each.
KERNEL(sum_step)(uint8_t *memory, const Sum *sums, const double *loss, int losses, double count, float *mean, int *slot, uint64_t *step) {
	SHARED(double, shared, 256);
	const int t = threadIdx.x;
	if (blockIdx.x == 0) {
		double sum = 0;
		for (int i = t; i < losses; i += 256) sum += loss[i];
		sum = block_sum(shared, sum);
		if (t > 0) return;
		mean[*slot] = (float)(sum / count);
		*slot += 1;
		*step += 1;
		return;
	}
	const Sum s = sums[blockIdx.x - 1];
	float *to = (float *)(memory + s.to);
	if (s.wide == 0) {
		const bf16 *from = (const bf16 *)(memory + s.from);
		for (uint32_t i = s.first + t; i < s.first + HALVES && i < s.width; i += 256) to[i] = load(from, i);
		return;
	}
	const double sum = column_sum(shared, (const float *)(memory + s.from), s.parts, s.width, s.first, s.wide);
	if (t < s.wide && s.first + t < s.width) to[s.first + t] = (float)sum;
}
REGISTER(sum_step)

__device__ inline void update(float *p, bf16 *half, uint32_t i, float v) {
	p[i] = v;
	if (half) store(half, i, v);
}

// step counts this one too, and its rate is the last before slot.
KERNEL(adam)(float *p, bf16 *half, const float *g, float *m, float *v, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const double t = (double)*step;
	const float rate = (float)(rates[*slot - 1] * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
	FOR_EACH(i, total) {
		m[i] += (g[i] - m[i]) * 0.1f;
		v[i] += (g[i] * g[i] - v[i]) * 0.001f;
		update(p, half, i, p[i] - rate * m[i] / (sqrtf(v[i]) + 1e-7f));
	}
}
REGISTER(adam)

KERNEL(rmsprop)(float *p, bf16 *half, const float *g, float *v, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot - 1];
	FOR_EACH(i, total) {
		v[i] = 0.9f * v[i] + 0.1f * g[i] * g[i];
		update(p, half, i, p[i] - rate * g[i] / sqrtf(v[i] + 1e-7f));
	}
}
REGISTER(rmsprop)

KERNEL(adagrad)(float *p, bf16 *half, const float *g, float *a, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot - 1];
	FOR_EACH(i, total) {
		a[i] += g[i] * g[i];
		update(p, half, i, p[i] - rate * g[i] / sqrtf(a[i] + 1e-7f));
	}
}
REGISTER(adagrad)

KERNEL(adadelta)(float *p, bf16 *half, const float *g, float *a, float *d, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot - 1];
	FOR_EACH(i, total) {
		a[i] = 0.95f * a[i] + 0.05f * g[i] * g[i];
		const float delta = sqrtf(d[i] + 1e-7f) / sqrtf(a[i] + 1e-7f) * g[i];
		d[i] = 0.95f * d[i] + 0.05f * delta * delta;
		update(p, half, i, p[i] - rate * delta);
	}
}
REGISTER(adadelta)

KERNEL(sgd)(float *p, bf16 *half, const float *g, float *m, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot - 1];
	FOR_EACH(i, total) {
		m[i] = 0.9f * m[i] - rate * g[i];
		update(p, half, i, p[i] + m[i]);
	}
}
REGISTER(sgd)
