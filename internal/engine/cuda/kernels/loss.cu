// Losses with their gradients, and the metrics of an evaluation. Logits, targets
// and their gradients are float whatever the network computes in.
#include "common.cuh"

enum { BCE, MSE };

__device__ inline float bce(float z, float t) { return fmaxf(z, 0.f) - z * t + log1pf(expf(-fabsf(z))); }

__device__ inline float squared(float z, float t) {
	const float d = sigmoid(z) - t;
	return d * d;
}

// Sums of a block of 256, in one order; all threads call it, thread 0 has the result.
__device__ inline double block_sum(double *sums, double v) {
	const int t = threadIdx.x;
	sums[t] = v;
	__syncthreads();
	for (int o = 128; o > 0; o /= 2) {
		if (t < o) sums[t] += sums[t + o];
		__syncthreads();
	}
	return sums[0];
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

// One block: the mean of a step's loss into losses[slot].
KERNEL(loss_mean)(const double *part, int parts, double count, float *losses, const int *slot) {
	SHARED(double, sums, 256);
	double sum = 0;
	for (int i = threadIdx.x; i < parts; i += 256) sum += part[i];
	sum = block_sum(sums, sum);
	if (threadIdx.x == 0) losses[*slot] = (float)(sum / count);
}
REGISTER(loss_mean)

// Evaluation: a block an image; sums over its values of both pixel losses.
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
		double *row = out + ((long long)*slot * batch + blockIdx.x) * 2;
		row[0] = entropy;
		row[1] = error;
	}
}
REGISTER(measure_pixels)

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
		out[((long long)*slot * batch + n) * 2] = rest + top - row[labels[n]];
		out[((long long)*slot * batch + n) * 2 + 1] = best == labels[n];
	}
}
REGISTER(measure_classes)
