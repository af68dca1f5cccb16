// Losses with their gradients, and the metrics of an evaluation. Logits, targets
// and their gradients are float whatever the network computes in.
#include "sums.cuh"

enum { BCE, MSE };

__device__ inline float bce(float z, float t) { return fmaxf(z, 0.f) - z * t + log1pf(expf(-fabsf(z))); }

__device__ inline float squared(float z, float t) {
	const float d = sigmoid(z) - t;
	return d * d;
}

// Block i sums the loss of values i·4096 … into part[i] and writes dz, the
// gradient of the mean over all values.
KERNEL(loss_pixels)(int kind, const float *z, const float *target, float *dz, double *part, uint32_t total) {
	SHARED(double, sums, 256);
	double sum = 0;
	const uint32_t first = blockIdx.x * 4096;
	for (int e = threadIdx.x; e < 4096; e += 256) {
		const uint32_t i = first + e;
		if (i >= total) break;
		const float s = sigmoid(z[i]), d = s - target[i];
		sum += kind == BCE ? bce(z[i], target[i]) : d * d;
		dz[i] = (kind == BCE ? d : 2.f * d * s * (1.f - s)) / (float)total;
	}
	sum = block_sum(sums, sum);
	if (threadIdx.x == 0) part[blockIdx.x] = sum;
}
REGISTER(loss_pixels)

// The log of the sum of e^z of a row, as its largest value and the rest.
__device__ inline float log_sum(const float *z, int classes, float *top) {
	float m = z[0], sum = 0.f;
	for (int i = 1; i < classes; i++) m = fmaxf(m, z[i]);
	for (int i = 0; i < classes; i++) sum += expf(z[i] - m);
	*top = m;
	return logf(sum);
}

// Structural similarity under Gaussian windows, as internal/metric defines it: a
// window's side, and its weights along a row and along a column.
enum { MOST_SIDE = 11 };

__device__ inline int window_side(int h, int w) {
	int side = MOST_SIDE;
	if (side > ((h - 1) | 1)) side = (h - 1) | 1;
	if (side > ((w - 1) | 1)) side = (w - 1) | 1;
	return side;
}

__device__ inline void window_weights(float *weights, int side) {
	float sum = 0.f;
	for (int i = 0; i < side; i++) {
		const float d = (float)(i - side / 2) / 1.5f;
		weights[i] = expf(-d * d / 2.f);
		sum += weights[i];
	}
	for (int i = 0; i < side; i++) weights[i] /= sum;
}

struct Similarity {
	float value, even, square, crossed;
};

// What values of a window are counted from where its slope is made, the middle of [0, 1]:
// the parts of a slope nearly cancel each other, and are the larger the farther off they are.
__device__ const float MIDDLE = 0.5f;

// The similarity in the window whose first values are first of an image's channel, and
// what its slope by y is made of: weight·(even + 2·square·(y − MIDDLE) + crossed·(x − MIDDLE)).
// The second moments are those about the means, for floats are too short for the others.
__device__ inline Similarity similarity(const float *z, const float *target, long long first, int row, int c, int side, const float *weights) {
	float mx = 0.f, my = 0.f, xx = 0.f, yy = 0.f, xy = 0.f;
	for (int i = 0; i < side; i++)
		for (int j = 0; j < side; j++) {
			const long long at = first + (long long)i * row + j * c;
			const float weight = weights[i] * weights[j];
			mx += weight * target[at];
			my += weight * sigmoid(z[at]);
		}
	for (int i = 0; i < side; i++)
		for (int j = 0; j < side; j++) {
			const long long at = first + (long long)i * row + j * c;
			const float weight = weights[i] * weights[j], x = target[at] - mx, y = sigmoid(z[at]) - my;
			xx += weight * x * x;
			yy += weight * y * y;
			xy += weight * x * y;
		}
	const float a1 = 2.f * mx * my + 1e-4f, a2 = 2.f * xy + 9e-4f, b1 = mx * mx + my * my + 1e-4f, b2 = xx + yy + 9e-4f;
	Similarity s;
	s.value = a1 * a2 / (b1 * b2);
	s.square = -s.value / b2;
	s.crossed = 2.f * a1 / (b1 * b2);
	s.even = 2.f * mx * a2 / (b1 * b2) - 2.f * my * s.value / b1 - 2.f * (my - MIDDLE) * s.square - (mx - MIDDLE) * s.crossed;
	return s;
}

// A thread a window: its slope's parts into even, square and crossed, at the window's
// place; the windows of an image have as many rows and columns as fit into it.
KERNEL(loss_windows)(const float *z, const float *target, float *even, float *square, float *crossed, float *value, int h, int w, int c, uint32_t total) {
	const int side = window_side(h, w), rows = h - side + 1, columns = w - side + 1;
	float weights[MOST_SIDE];
	window_weights(weights, side);
	FOR_EACH(i, total) {
		const int ch = (int)(i % c), x = (int)(i / c % columns), y = (int)(i / c / columns % rows), n = (int)(i / c / columns / rows);
		const Similarity s = similarity(z, target, (((long long)n * h + y) * w + x) * c + ch, w * c, c, side, weights);
		even[i] = s.even;
		square[i] = s.square;
		crossed[i] = s.crossed;
		value[i] = s.value;
	}
}
REGISTER(loss_windows)

// Block i sums the blend of losses of values i·4096 … into part[i], times the number
// of values, and writes dz. Of the windows' similarities, windows in all, each is
// summed by one block.
KERNEL(loss_blend)(float of_bce, float of_mse, float of_ssim, const float *z, const float *target, const float *even, const float *square, const float *crossed,
	const float *value, float *dz, double *part, int h, int w, int c, uint32_t windows, uint32_t total) {
	SHARED(double, sums, 256);
	const int side = window_side(h, w), rows = h - side + 1, columns = w - side + 1;
	float weights[MOST_SIDE];
	window_weights(weights, side);
	double sum = 0;
	const uint32_t first = blockIdx.x * 4096;
	for (int e = threadIdx.x; e < 4096; e += 256) {
		const uint32_t i = first + e;
		if (i >= total) break;
		const float s = sigmoid(z[i]), d = s - target[i];
		float slope = 0.f;
		if (of_ssim > 0.f) {
			if (i < windows) sum += (double)of_ssim * (1.f - value[i]) * ((double)total / windows);
			const int ch = (int)(i % c), x = (int)(i / c % w), y = (int)(i / c / w % h), n = (int)(i / c / w / h);
			for (int a = y < side ? 0 : y - side + 1; a <= y && a < rows; a++)
				for (int b = x < side ? 0 : x - side + 1; b <= x && b < columns; b++) {
					const long long at = (((long long)n * rows + a) * columns + b) * c + ch;
					slope += weights[y - a] * weights[x - b] * (even[at] + 2.f * square[at] * (s - MIDDLE) + crossed[at] * (target[i] - MIDDLE));
				}
		}
		if (of_bce > 0.f) sum += of_bce * bce(z[i], target[i]);
		sum += of_mse * d * d;
		dz[i] = (of_bce * d + of_mse * 2.f * d * s * (1.f - s)) / (float)total - of_ssim * slope * s * (1.f - s) / (float)windows;
	}
	sum = block_sum(sums, sum);
	if (threadIdx.x == 0) part[blockIdx.x] = sum;
}
REGISTER(loss_blend)

// Softmax cross-entropy, one thread a row: its loss into part, the gradient of
// the batch's mean into dz.
KERNEL(loss_classes)(const float *z, const int *labels, float *dz, double *part, int batch, int classes) {
	FOR_EACH(n, (uint32_t)batch) {
		const float *row = z + n * classes;
		float top;
		const float rest = log_sum(row, classes, &top);
		part[n] = rest + top - row[labels[n]];
		for (int i = 0; i < classes; i++)
			dz[n * classes + i] = (expf(row[i] - top - rest) - (i == labels[n] ? 1.f : 0.f)) / (float)batch;
	}
}
REGISTER(loss_classes)

// Evaluation: three measures a row. A block an image; sums over its values of both pixel losses.
KERNEL(measure_pixels)(const float *z, const float *target, const int *slot, double *out, int batch, int values) {
	SHARED(double, sums, 256);
	double entropy = 0, error = 0;
	for (int e = threadIdx.x; e < values; e += 256) {
		const long long i = (long long)blockIdx.x * values + e;
		entropy += bce(z[i], target[i]);
		error += squared(z[i], target[i]);
	}
	entropy = block_sum(sums, entropy);
	__syncthreads();
	error = block_sum(sums, error);
	if (threadIdx.x == 0) {
		double *row = out + ((long long)*slot * batch + blockIdx.x) * 3;
		row[0] = entropy;
		row[1] = error;
		row[2] = 0;
	}
}
REGISTER(measure_pixels)

// After measure_pixels: a block an image; the mean similarity of its windows.
KERNEL(measure_windows)(const float *z, const float *target, const int *slot, double *out, int batch, int h, int w, int c) {
	SHARED(double, sums, 256);
	const int side = window_side(h, w), rows = h - side + 1, columns = w - side + 1, windows = rows * columns * c;
	float weights[MOST_SIDE];
	window_weights(weights, side);
	double sum = 0;
	for (int i = threadIdx.x; i < windows; i += 256) {
		const int ch = i % c, x = i / c % columns, y = i / c / columns;
		sum += similarity(z, target, (((long long)blockIdx.x * h + y) * w + x) * c + ch, w * c, c, side, weights).value;
	}
	sum = block_sum(sums, sum);
	if (threadIdx.x == 0) out[((long long)*slot * batch + blockIdx.x) * 3 + 2] = sum / windows;
}
REGISTER(measure_windows)

// Evaluation of a classifier: a thread a row; cross-entropy, and 1 where the
// first largest logit is the label's.
KERNEL(measure_classes)(const float *z, const int *labels, const int *slot, double *out, int batch, int classes) {
	FOR_EACH(n, (uint32_t)batch) {
		const float *row = z + n * classes;
		float top;
		const float rest = log_sum(row, classes, &top);
		int best = 0;
		for (int i = 1; i < classes; i++)
			if (row[i] > row[best]) best = i;
		double *measures = out + ((long long)*slot * batch + n) * 3;
		measures[0] = rest + top - row[labels[n]];
		measures[1] = best == labels[n];
		measures[2] = 0;
	}
}
REGISTER(measure_classes)
