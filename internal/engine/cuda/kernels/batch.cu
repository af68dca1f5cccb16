// A batch's way in and the results' way out: gather rows by number, transpose
// to NCHW, count steps.
#include "common.cuh"

// A training or evaluation call runs one graph many times; `slot` is how often
// it ran before in this call, and rows[slot·batch + n] the row of image n.

// Images: NCHW bytes to NHWC v/255. `half` may be null; it gets y in bf16.
KERNEL(gather_bytes)(const uint8_t *data, const int *rows, const int *slot, float *y, bf16 *half, int batch, int c, int area) {
	const int values = c * area;
	FOR_EACH(i, (uint32_t)(batch * values)) {
		const int n = (int)(i / values), at = (int)(i % values), ch = at % c, pixel = at / c;
		const float v = data[(long long)rows[(long long)*slot * batch + n] * values + (long long)ch * area + pixel] / 255.f;
		y[i] = v;
		if (half) store(half, i, v);
	}
}
REGISTER(gather_bytes)

// Features: NCHW floats to NHWC.
KERNEL(gather_floats)(const float *data, const int *rows, const int *slot, float *y, bf16 *half, int batch, int c, int area) {
	const int values = c * area;
	FOR_EACH(i, (uint32_t)(batch * values)) {
		const int n = (int)(i / values), at = (int)(i % values), ch = at % c, pixel = at / c;
		const float v = data[(long long)rows[(long long)*slot * batch + n] * values + (long long)ch * area + pixel];
		y[i] = v;
		if (half) store(half, i, v);
	}
}
REGISTER(gather_floats)

KERNEL(gather_labels)(const int *data, const int *rows, const int *slot, int *y, int batch) {
	FOR_EACH(n, (uint32_t)batch) y[n] = data[rows[(long long)*slot * batch + n]];
}
REGISTER(gather_labels)

// NHWC to NCHW at the slot's place in out; with `logits` through the sigmoid.
KERNEL(export_values)(const float *x, const int *slot, float *out, int batch, int c, int area, int logits) {
	const int values = c * area;
	FOR_EACH(i, (uint32_t)(batch * values)) {
		const int n = (int)(i / values), at = (int)(i % values), pixel = at % area, ch = at / area;
		const float v = x[(long long)n * values + (long long)pixel * c + ch];
		out[(long long)*slot * batch * values + i] = logits ? sigmoid(v) : v;
	}
}
REGISTER(export_values)

// The end of an inference's graph: one more run of this call.
KERNEL(count_run)(int *slot) {
	if (threadIdx.x == 0 && blockIdx.x == 0) *slot += 1;
}
REGISTER(count_run)

KERNEL(to_half)(const float *x, bf16 *y, uint32_t total) {
	FOR_EACH(i, total) store(y, i, x[i]);
}
REGISTER(to_half)

KERNEL(to_float)(const bf16 *x, float *y, uint32_t total) {
	FOR_EACH(i, total) y[i] = load(x, i);
}
REGISTER(to_float)
