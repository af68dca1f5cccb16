// The layers that are not convolutions, for float and for bf16 activations.
#include "sums.cuh"

// Batch statistics from partial sums of x − shift and their squares, in pairs, where
// shift is the batch's first value of each channel, and the running averages:
// raw ones (momentum 0.9, from zero) in state, bias-corrected ones beside the
// parameters.
KERNEL(norm_statistics)(const float *part, int parts, int c, float rows, const float *shift, float *mean, float *variance,
	float *state_mean, float *state_variance, float *run_mean, float *run_variance, const uint64_t *step, int wide) {
	SHARED(double, sums, 256);
	const int t = threadIdx.x, j = (blockIdx.x * wide + t) / 2;
	const double s = column_sum(sums, part, parts, 2 * c, blockIdx.x * wide, wide) / rows;
	if (t >= wide || t % 2 == 1 || j >= c) return;
	double q = sums[t + 1] / rows - s * s;
	if (q < 0) q = 0;
	const float m = (float)(s + shift[j]), v = (float)q;
	mean[j] = m;
	variance[j] = v;
	if (!run_mean) return;
	const double fill = 1 - pow(0.9, (double)(*step + 1));
	state_mean[j] = 0.9f * state_mean[j] + 0.1f * m;
	state_variance[j] = 0.9f * state_variance[j] + 0.1f * v;
	run_mean[j] = (float)(state_mean[j] / fill);
	run_variance[j] = (float)(state_variance[j] / fill);
}
REGISTER(norm_statistics)

// The gradients of gamma and beta from partial sums of dy and dy·x̂, in pairs.
KERNEL(norm_grad_sums)(const float *part, int parts, int c, float *dgamma, float *dbeta, int wide) {
	SHARED(double, sums, 256);
	const int t = threadIdx.x, j = (blockIdx.x * wide + t) / 2;
	const double sum = column_sum(sums, part, parts, 2 * c, blockIdx.x * wide, wide);
	if (t < wide && j < c) (t % 2 ? dgamma : dbeta)[j] = (float)sum;
}
REGISTER(norm_grad_sums)

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) as internal/philox has it.
__device__ inline uint32_t philox(uint64_t seed, uint32_t layer, uint64_t step, uint32_t i) {
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	uint32_t c0 = i / 4, c1 = layer, c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
	for (int round = 0; round < 10; round++) {
		const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)b;
		c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)a;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return i % 4 == 0 ? c0 : i % 4 == 1 ? c1 : i % 4 == 2 ? c2 : c3;
}

#define T float
#define NAME(x) JOIN(x, f32)
#include "layers.cuh"
#undef T
#undef NAME

#define T bf16
#define NAME(x) JOIN(x, bf16)
#include "layers.cuh"
