// Sums of a block of 256 threads, each in one order, as trees in shared memory.
#pragma once
#include "common.cuh"

// All threads call it, thread 0 has the result.
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

// The second half of a sum over rows: a block of 256 sums `wide` columns (a power of
// two), from `first` on, of part[parts][width], 256/wide rows at a time. All threads call it; thread t has
// the sum of column t % wide of the block's.
__device__ inline double column_sum(double *sums, const float *part, int parts, uint32_t width, uint32_t first, int wide) {
	const int t = threadIdx.x;
	const uint32_t column = first + t % wide;
	double sum = 0;
	if (column < width) {
#pragma unroll 4
		for (int i = t / wide; i < parts; i += 256 / wide) sum += part[(long long)i * width + column];
	}
	sums[t] = sum;
	__syncthreads();
	for (int o = 128; o >= wide; o /= 2) {
		if (t < o) sums[t] += sums[t + o];
		__syncthreads();
	}
	return sums[t % wide];
}

// What a thread has of an activation, a matrix of rows of c channels: block (x, y) has rows
// y·chunk …, its 256 threads are rows of `wide` lanes (a power of two), and a lane has W
// channels, from x·wide·W on. package plan sees to it that W is 4 where c allows it.
struct Lane {
	uint32_t channel, row, step, end;
	bool used; // the last ones may have no channel
};

template <int W> __device__ inline Lane lane(uint32_t c, uint32_t rows, uint32_t chunk, uint32_t wide) {
	const uint32_t t = threadIdx.x, first = blockIdx.y * chunk, end = first + chunk, channel = (blockIdx.x * wide + t % wide) * W;
	return {channel, first + t / wide, 256 / wide, end < rows ? end : rows, channel < c};
}

// Rows that a thread loads before it computes, and the k-th of those from r on; behind the
// last there is the last again.
template <int W> constexpr int AHEAD = W == 4 ? 2 : 4;
__device__ inline uint32_t ahead(const Lane &l, uint32_t r, int k) { return r + k * l.step < l.end ? r + k * l.step : l.end - 1; }

// Adds sums of all threads of a lane, N for each of its channels, into part[y][c][N]: all
// threads call it.
template <int W, int N> __device__ inline void lane_sums(float *shared, const float *sum, float *part, const Lane &l, uint32_t c, int wide) {
	const int t = threadIdx.x;
	for (int j = 0; j < W * N; j++) shared[j * 256 + t] = sum[j];
	__syncthreads();
	for (int o = 128; o >= wide; o /= 2) {
		if (t < o)
			for (int j = 0; j < W * N; j++) shared[j * 256 + t] += shared[j * 256 + t + o];
		__syncthreads();
	}
	if (t >= wide || !l.used) return;
	for (int j = 0; j < W * N; j++) part[(blockIdx.y * c + l.channel) * N + j] = shared[j * 256 + t];
}
