// The update of all parameters at once: p, g and the optimiser's two slots are
// flat vectors of one length. rate is this step's, step counts the steps before.
#include "common.cuh"

KERNEL(adam)(float *p, const float *g, float *m, float *v, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const double t = (double)(*step + 1);
	const float rate = (float)(rates[*slot] * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
	FOR_EACH(i, total) {
		m[i] += (g[i] - m[i]) * 0.1f;
		v[i] += (g[i] * g[i] - v[i]) * 0.001f;
		p[i] -= rate * m[i] / (sqrtf(v[i]) + 1e-7f);
	}
}
REGISTER(adam)

KERNEL(rmsprop)(float *p, const float *g, float *v, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot];
	FOR_EACH(i, total) {
		v[i] = 0.9f * v[i] + 0.1f * g[i] * g[i];
		p[i] -= rate * g[i] / sqrtf(v[i] + 1e-7f);
	}
}
REGISTER(rmsprop)

KERNEL(adagrad)(float *p, const float *g, float *a, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot];
	FOR_EACH(i, total) {
		a[i] += g[i] * g[i];
		p[i] -= rate * g[i] / sqrtf(a[i] + 1e-7f);
	}
}
REGISTER(adagrad)

KERNEL(adadelta)(float *p, const float *g, float *a, float *d, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot];
	FOR_EACH(i, total) {
		a[i] = 0.95f * a[i] + 0.05f * g[i] * g[i];
		const float delta = sqrtf(d[i] + 1e-7f) / sqrtf(a[i] + 1e-7f) * g[i];
		d[i] = 0.95f * d[i] + 0.05f * delta * delta;
		p[i] -= rate * delta;
	}
}
REGISTER(adadelta)

KERNEL(sgd)(float *p, const float *g, float *m, float *unused, const float *rates, const int *slot, const uint64_t *step, uint32_t total) {
	const float rate = rates[*slot];
	FOR_EACH(i, total) {
		m[i] = 0.9f * m[i] - rate * g[i];
		p[i] += m[i];
	}
}
REGISTER(sgd)
