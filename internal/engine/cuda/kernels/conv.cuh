// Included by conv.cu for each pair of types: X is read, Y is written (in the
// weight gradient X is x and Y is dy); NAME adds their suffix.

// A step of the matrix product below copies BK taps of its BM pixels, from t0 on, and of
// their weights for BN output channels to shared memory. A load is of W channels, which c
// and o are multiples of; base, y0 and x0 are of the thread's pixels.
template <int BM, int BN, int BK, int W>
__device__ inline void NAME(gemm_stage)(float *image, float *filter, const X *x, const float *weight, const uint32_t *base, const int *y0, const int *x0,
	int t0, int o0, int h, int w, int c, int o, int k, int stride, int turned) {
	const int THREADS = BM * BN / 16, LANES = BK / W, ROWS = THREADS / LANES;
	const int t = threadIdx.x, tap = t % LANES * W, row = t / LANES, taps = k * k * c;
	const int at = t0 + tap, cell = at / c, ch = at - cell * c, ky = cell / k, kx = cell - ky * k;
	float v[W];
	for (int i = 0; i < BM / ROWS; i++) {
		const int py = place(y0[i], ky, stride, turned, h), px = place(x0[i], kx, stride, turned, w);
		const bool there = at < taps && py >= 0 && px >= 0;
		load_some<W>(v, x, there ? ((base[i] + py) * w + px) * c + ch : 0);
		for (int j = 0; j < W; j++) image[(tap + j) * (BM + 4) + row + ROWS * i] = there ? v[j] : 0.f;
	}
	for (int e = t; e < BK * BN / W; e += THREADS) {
		// consecutive threads read consecutive weights
		const int from = turned ? e / (BN / W) : e % LANES * W, to = turned ? e % (BN / W) * W : e / LANES, in = t0 + from, out = o0 + to;
		const bool there = in < taps && out < o;
		const int read = turned ? in / c : 0; // the tap of a turned one
		load_some<W>(v, weight, there ? turned ? ((in - read * c) * k * k + read) * o + out : out * taps + in : 0);
		for (int j = 0; j < W; j++) filter[from * (BN + 4) + to + j * (turned ? 1 : BN + 4)] = there ? v[j] : 0.f;
	}
}

// Implicit matrix product, pixels × output channels over taps × input channels, in
// tiles of BM × BN × BK; BM · BN / 16 threads hold 4 × 4 sums each. b may be null.
template <int BM, int BN, int BK>
__device__ inline void NAME(gemm)(const X *x, const float *weight, const float *b, Y *y, int f,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned) {
	SHARED(float, image, BK * (BM + 4));
	SHARED(float, filter, BK * (BN + 4));
	const int THREADS = BM * BN / 16, MOST = BM * BK / THREADS; // of a thread's pixels
	const bool fours = c % 4 == 0 && o % 4 == 0;
	const int t = threadIdx.x, lanes = fours ? BK / 4 : BK, o0 = blockIdx.y * BN, taps = k * k * c;
	const uint32_t pixels = n * ho * wo, m0 = blockIdx.x * BM;
	uint32_t base[MOST];
	int y0[MOST], x0[MOST];
	float sum[4][4];
	for (int i = 0; i < MOST; i++) {
		const uint32_t m = m0 + t / lanes + THREADS / lanes * i, line = m / wo;
		base[i] = line / ho * h;
		y0[i] = m < pixels ? first_tap((int)(line % ho), k, stride, turned) : OUTSIDE;
		x0[i] = first_tap((int)(m % wo), k, stride, turned);
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) sum[i][j] = 0.f;
#pragma unroll 1
	for (int t0 = 0; t0 < taps; t0 += BK) {
		if (fours) NAME(gemm_stage)<BM, BN, BK, 4>(image, filter, x, weight, base, y0, x0, t0, o0, h, w, c, o, k, stride, turned);
		else NAME(gemm_stage)<BM, BN, BK, 1>(image, filter, x, weight, base, y0, x0, t0, o0, h, w, c, o, k, stride, turned);
		__syncthreads();
#pragma unroll 2
		for (int e = 0; e < BK && t0 + e < taps; e += 4)
			for (int i = e; i < e + 4; i++) multiply(sum, image + i * (BM + 4) + t / (BN / 4) * 4, filter + i * (BN + 4) + t % (BN / 4) * 4);
		__syncthreads();
	}
	const int out = o0 + t % (BN / 4) * 4, there = o - out < 4 ? o - out : 4;
	float bias[4];
	for (int j = 0; j < 4; j++) bias[j] = b && j < there ? b[out + j] : 0.f;
	for (int i = 0; i < 4; i++) {
		const uint32_t m = m0 + t / (BN / 4) * 4 + i;
		if (m >= pixels) return;
		for (int j = 0; j < 4; j++) sum[i][j] = finish(f, sum[i][j] + bias[j]);
		if (o % 4 == 0 && there == 4) {
			store4(y + m * o + out, sum[i]);
			continue;
		}
		for (int j = 0; j < 4; j++)
			if (j < there) store(y, m * o + out + j, sum[i][j]);
	}
}

#define GEMM(name, BM, BN, BK) \
	KERNEL(NAME(name))(const X *x, const float *weight, const float *b, Y *y, int f, \
		int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned) { \
		NAME(gemm)<BM, BN, BK>(x, weight, b, y, f, n, h, w, c, ho, wo, o, k, stride, turned); \
	} \
	REGISTER(NAME(name))
GEMM(conv_gemm_64x64, 64, 64, 16)
GEMM(conv_gemm_64x32, 64, 32, 16)
#undef GEMM

// Weight gradient: output channels × (taps × input channels) over pixels, in tiles of
// BM × BN × 16; 256 threads hold 4 × 4 sums each. Block z sums pixels z·chunk …; part
// is [parts, O, k·k·C], and sum_parts adds the parts in order.
template <int BM, int BN>
__device__ inline void NAME(weight)(const X *x, const Y *dy, float *part,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int chunk) {
	SHARED(float, grad, 16 * (BM + 4));
	SHARED(float, image, 16 * (BN + 4));
	SHARED(int, place_y, 16);
	SHARED(int, place_x, 16);
	SHARED(int, line, 16);
	const int t = threadIdx.x, o0 = blockIdx.y * BM, taps = k * k * c, col = blockIdx.x * BN + t % BN;
	const int cell = col / c, ch = col - cell * c, ky = cell / k, kx = cell - ky * k;
	const int tx = t % (BN / 4), ty = t / (BN / 4);
	const uint32_t pixels = n * ho * wo, first = blockIdx.z * chunk;
	const uint32_t end = first + chunk < pixels ? first + chunk : pixels;
	float sum[4][4];
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) sum[i][j] = 0.f;
#pragma unroll 1
	for (uint32_t p0 = first; p0 < end; p0 += 16) {
		if (t < 16) { // of the pixels' first taps
			const uint32_t p = p0 + t, q = p / wo;
			place_y[t] = p < end ? first_tap((int)(q % ho), k, stride, 0) : OUTSIDE;
			place_x[t] = first_tap((int)(p % wo), k, stride, 0);
			line[t] = (int)(q / ho * h);
		}
		__syncthreads();
		for (int e = t; e < 16 * BM; e += 256) {
			const uint32_t p = p0 + e / BM;
			const int out = o0 + e % BM;
			const bool there = p < end && out < o;
			const float v = load(dy, there ? p * o + out : 0);
			grad[e / BM * (BM + 4) + e % BM] = there ? v : 0.f;
		}
		for (int e = t; e < 16 * BN; e += 256) {
			const int i = e / BN, py = place_y[i] + ky, px = place_x[i] + kx;
			const bool there = col < taps && py >= 0 && py < h && px >= 0 && px < w;
			const float v = load(x, there ? (uint32_t)((line[i] + py) * w + px) * c + ch : 0);
			image[i * (BN + 4) + e % BN] = there ? v : 0.f;
		}
		__syncthreads();
#pragma unroll 8
		for (int e = 0; e < 16; e++) multiply(sum, grad + e * (BM + 4) + ty * 4, image + e * (BN + 4) + tx * 4);
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			const int out = o0 + ty * 4 + i, at = blockIdx.x * BN + tx * 4 + j;
			if (out < o && at < taps) part[((long long)blockIdx.z * o + out) * taps + at] = sum[i][j];
		}
}

#define WEIGHT(name, BM, BN) \
	KERNEL(NAME(name))(const X *x, const Y *dy, float *part, int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int chunk) { \
		NAME(weight)<BM, BN>(x, dy, part, n, h, w, c, ho, wo, o, k, stride, chunk); \
	} \
	REGISTER(NAME(name))
WEIGHT(conv_weight_64x64, 64, 64)
#undef WEIGHT
