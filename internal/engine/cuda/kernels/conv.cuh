// Included by conv.cu for each pair of types: X is read, Y is written (in the
// weight gradient X is x and Y is dy); NAME adds their suffix.

// Few channels: a thread holds G output channels of 4 pixels; a block, 128
// threads and 512 pixels, stages 64 taps of weights at a time. b may be null.
template <int G>
__device__ inline void NAME(direct)(const X *x, const float *weight, const float *b, Y *y, int f,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned) {
	SHARED(float, staged, 64 * G);
	const uint32_t pixels = n * ho * wo;
	const int o0 = blockIdx.y * G, taps = k * k * c;
	uint32_t base[4], pixel[4];
	int y0[4], x0[4];
	float sum[4][G];
	for (int i = 0; i < 4; i++) {
		const uint32_t m = pixel[i] = blockIdx.x * 512 + i * 128 + threadIdx.x;
		base[i] = m / wo / ho * h;
		y0[i] = m < pixels ? first_tap((int)(m / wo % ho), k, stride, turned) : OUTSIDE;
		x0[i] = first_tap((int)(m % wo), k, stride, turned);
		for (int g = 0; g < G; g++) sum[i][g] = b && o0 + g < o ? b[o0 + g] : 0.f;
	}
	for (int t0 = 0; t0 < taps; t0 += 64) {
		const int count = taps - t0 < 64 ? taps - t0 : 64;
		for (int e = threadIdx.x; e < count * G; e += 128) {
			const int at = t0 + e / G, out = o0 + e % G;
			const int from = turned ? (at % c * k * k + at / c) * o + out : out * taps + at;
			staged[e] = out < o ? weight[from] : 0.f;
		}
		__syncthreads();
#pragma unroll 1
		for (int e = 0; e < count; e++) {
			const int at = t0 + e, ch = at % c, ky = at / c / k, kx = at / c % k;
			for (int i = 0; i < 4; i++) {
				const int py = place(y0[i], ky, stride, turned, h), px = place(x0[i], kx, stride, turned, w);
				if (py < 0 || px < 0) continue;
				const float v = load(x, ((base[i] + py) * w + px) * c + ch);
				for (int g = 0; g < G; g++) sum[i][g] += v * staged[e * G + g];
			}
		}
		__syncthreads();
	}
	for (int i = 0; i < 4; i++)
		for (int g = 0; g < G; g++)
			if (pixel[i] < pixels && o0 + g < o) store(y, pixel[i] * o + o0 + g, finish(f, sum[i][g]));
}

#define DIRECT(name, G) \
	KERNEL(NAME(name))(const X *x, const float *weight, const float *b, Y *y, int f, \
		int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned) { \
		NAME(direct)<G>(x, weight, b, y, f, n, h, w, c, ho, wo, o, k, stride, turned); \
	} \
	REGISTER(NAME(name))
DIRECT(conv_direct1, 1)
DIRECT(conv_direct4, 4)
DIRECT(conv_direct8, 8)
#undef DIRECT

// Many channels: implicit matrix product, pixels × output channels over taps ×
// input channels, in tiles of 64 × 64 × 16; 256 threads hold 4 × 4 sums each.
KERNEL(NAME(conv_gemm))(const X *x, const float *weight, const float *b, Y *y, int f,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned) {
	SHARED(float, image, 16 * 68);
	SHARED(float, filter, 16 * 68);
	const int t = threadIdx.x, lane = t % 16, line = t / 16, o0 = blockIdx.y * 64, taps = k * k * c;
	const uint32_t pixels = n * ho * wo, m0 = blockIdx.x * 64;
	uint32_t base[4];
	int y0[4], x0[4];
	float sum[4][4];
	for (int i = 0; i < 4; i++) {
		const uint32_t m = m0 + line + 16 * i;
		base[i] = m / wo / ho * h;
		y0[i] = m < pixels ? first_tap((int)(m / wo % ho), k, stride, turned) : OUTSIDE;
		x0[i] = first_tap((int)(m % wo), k, stride, turned);
		for (int j = 0; j < 4; j++) sum[i][j] = 0.f;
	}
	for (int t0 = 0; t0 < taps; t0 += 16) {
		const int at = t0 + lane, ch = at % c, ky = at / c / k, kx = at / c % k;
		for (int i = 0; i < 4; i++) {
			const int py = place(y0[i], ky, stride, turned, h), px = place(x0[i], kx, stride, turned, w);
			image[lane * 68 + line + 16 * i] = at < taps && py >= 0 && px >= 0 ? load(x, ((base[i] + py) * w + px) * c + ch) : 0.f;
		}
		for (int i = 0; i < 4; i++) {
			if (turned) { // consecutive threads read consecutive output channels
				const int row = t / 64 + 4 * i, from = t0 + row, out = o0 + t % 64;
				filter[row * 68 + t % 64] = from < taps && out < o ? weight[(from % c * k * k + from / c) * o + out] : 0.f;
			} else {
				const int out = o0 + line + 16 * i;
				filter[lane * 68 + line + 16 * i] = at < taps && out < o ? weight[out * taps + at] : 0.f;
			}
		}
		__syncthreads();
#pragma unroll 4
		for (int e = 0; e < 16; e++)
			for (int i = 0; i < 4; i++)
				for (int j = 0; j < 4; j++) sum[i][j] += image[e * 68 + line * 4 + i] * filter[e * 68 + lane * 4 + j];
		__syncthreads();
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			const uint32_t m = m0 + line * 4 + i;
			const int out = o0 + lane * 4 + j;
			if (m < pixels && out < o) store(y, m * o + out, finish(f, sum[i][j] + (b ? b[out] : 0.f)));
		}
}
REGISTER(NAME(conv_gemm))

// Weight gradient: output channels × (taps × input channels) over pixels, in
// tiles of BM × BN × 16; 256 threads hold TM × TN sums each. Block z sums pixels
// z·chunk …; part is [parts, O, k·k·C], and sum_parts adds the parts in order.
template <int BM, int BN, int TM, int TN>
__device__ inline void NAME(weight)(const X *x, const Y *dy, float *part,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int chunk) {
	SHARED(float, grad, 16 * (BM + 4));
	SHARED(float, image, 16 * (BN + 4));
	const int t = threadIdx.x, o0 = blockIdx.y * BM, taps = k * k * c, col = blockIdx.x * BN + t % BN;
	const int ch = col % c, ky = col / c / k, kx = col / c % k;
	const int tx = t % (BN / TN), ty = t / (BN / TN);
	const uint32_t pixels = n * ho * wo, first = blockIdx.z * chunk;
	const uint32_t end = first + chunk < pixels ? first + chunk : pixels;
	float sum[TM][TN];
	for (int i = 0; i < TM; i++)
		for (int j = 0; j < TN; j++) sum[i][j] = 0.f;
	for (uint32_t p0 = first; p0 < end; p0 += 16) {
		for (int e = t; e < 16 * BM; e += 256) {
			const uint32_t p = p0 + e / BM;
			const int out = o0 + e % BM;
			grad[e / BM * (BM + 4) + e % BM] = p < end && out < o ? load(dy, p * o + out) : 0.f;
		}
		for (int e = t; e < 16 * BN; e += 256) {
			const uint32_t p = p0 + e / BN;
			float v = 0.f;
			if (p < end && col < taps) {
				const int py = place(first_tap((int)(p / wo % ho), k, stride, 0), ky, stride, 0, h);
				const int px = place(first_tap((int)(p % wo), k, stride, 0), kx, stride, 0, w);
				if (py >= 0 && px >= 0) v = load(x, ((p / wo / ho * h + py) * w + px) * c + ch);
			}
			image[e / BN * (BN + 4) + e % BN] = v;
		}
		__syncthreads();
#pragma unroll 4
		for (int e = 0; e < 16; e++)
			for (int i = 0; i < TM; i++)
				for (int j = 0; j < TN; j++) sum[i][j] += grad[e * (BM + 4) + ty * TM + i] * image[e * (BN + 4) + tx * TN + j];
		__syncthreads();
	}
	for (int i = 0; i < TM; i++)
		for (int j = 0; j < TN; j++) {
			const int out = o0 + ty * TM + i, at = blockIdx.x * BN + tx * TN + j;
			if (out < o && at < taps) part[((long long)blockIdx.z * o + out) * taps + at] = sum[i][j];
		}
}

#define WEIGHT(name, BM, BN, TM, TN) \
	KERNEL(NAME(name))(const X *x, const Y *dy, float *part, int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int chunk) { \
		NAME(weight)<BM, BN, TM, TN>(x, dy, part, n, h, w, c, ho, wo, o, k, stride, chunk); \
	} \
	REGISTER(NAME(name))
WEIGHT(conv_weight_64x64, 64, 64, 4, 4)
WEIGHT(conv_weight_8x128, 8, 128, 1, 4)
WEIGHT(conv_weight_64x16, 64, 16, 2, 2)
#undef WEIGHT
