// Included by layers.cu once for each activation type T; NAME adds its suffix.
// rows is N·H·W: an activation is a matrix of rows × c.

// y = f(y + b), after a convolution that has neither.
KERNEL(NAME(bias_activate))(T *y, const float *b, int f, int c, uint32_t total) {
	FOR_EACH(i, total) store(y, i, activate(f, load(y, i) + b[i % c]));
}
REGISTER(NAME(bias_activate))

KERNEL(NAME(activate))(const T *x, T *y, int f, uint32_t total) {
	FOR_EACH(i, total) store(y, i, activate(f, load(x, i)));
}
REGISTER(NAME(activate))

// dx may be dy; x is read by SiLU alone.
KERNEL(NAME(activate_grad))(const T *x, const T *y, const T *dy, T *dx, int f, uint32_t total) {
	FOR_EACH(i, total) store(dx, i, load(dy, i) * slope(f, f == SILU ? load(x, i) : 0.f, load(y, i)));
}
REGISTER(NAME(activate_grad))

KERNEL(NAME(add))(const T *a, const T *b, T *y, uint32_t total) {
	FOR_EACH(i, total) store(y, i, load(a, i) + load(b, i));
}
REGISTER(NAME(add))

// Dropout and its gradient; the mask counts values in NCHW order.
KERNEL(NAME(dropout))(const T *x, T *y, const uint64_t *step, uint64_t seed, uint32_t layer, float rate, float scale, int c, int area, uint32_t total) {
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t row = i / c, n = row / area, pixel = row % area;
		const uint32_t word = philox(seed, layer, *step, (n * c + ch) * area + pixel);
		store(y, i, (float)(word >> 8) * (1.f / (1 << 24)) >= rate ? load(x, i) * scale : 0.f);
	}
}
REGISTER(NAME(dropout))

// Images with normal noise, clamped to [0, 1], as internal/philox has it.
KERNEL(NAME(noise))(const float *x, T *y, const uint64_t *step, uint64_t seed, uint32_t layer, float sigma, int c, int area, uint32_t total) {
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t row = i / c, n = row / area, pixel = row % area, at = (n * c + ch) * area + pixel;
		const uint32_t a = philox(seed, layer, *step, at & ~1u), b = philox(seed, layer, *step, at | 1u);
		const float r = sigma * sqrtf(-2.f * logf((float)((a >> 8) + 1) * (1.f / (1 << 24))));
		const float half_turns = (float)(b >> 8) * (1.f / (1 << 23));
		const float v = x[i] + r * (at & 1 ? sinpif(half_turns) : cospif(half_turns));
		store(y, i, v < 0.f ? 0.f : v > 1.f ? 1.f : v);
	}
}
REGISTER(NAME(noise))

// 2×2 maxima; along an odd side the windows are (·,0)(1,2)(3,4)… `which` keeps
// the place of the first maximum, 0 to 3. A value that is not a number is the largest.
KERNEL(NAME(max_pool))(const T *x, T *y, uint8_t *which, int h, int w, int c, uint32_t total) {
	const int ho = (h + 1) / 2, wo = (w + 1) / 2;
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t r = i / c;
		const int ox = (int)(r % wo), oy = (int)(r / wo % ho);
		const uint32_t n = r / wo / ho;
		const int top = 2 * oy - h % 2, left = 2 * ox - w % 2;
		int best = -1;
		float largest = 0.f;
		for (int k = 0; k < 4; k++) {
			const int py = top + k / 2, px = left + k % 2;
			if (py < 0 || px < 0) continue;
			const float v = load(x, ((n * h + py) * w + px) * c + ch);
			if (best < 0 || v > largest || (v != v && largest == largest)) {
				best = k;
				largest = v;
			}
		}
		store(y, i, largest);
		if (which) which[i] = (uint8_t)best;
	}
}
REGISTER(NAME(max_pool))

// One thread an input value: the window's gradient where it was the maximum.
KERNEL(NAME(max_pool_grad))(const T *dy, const uint8_t *which, T *dx, int h, int w, int c, uint32_t total) {
	const int ho = (h + 1) / 2, wo = (w + 1) / 2;
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t r = i / c;
		const int px = (int)(r % w), py = (int)(r / w % h);
		const uint32_t n = r / w / h;
		const int oy = (py + h % 2) / 2, ox = (px + w % 2) / 2;
		const int k = (py + h % 2) % 2 * 2 + (px + w % 2) % 2;
		const uint32_t o = ((n * ho + oy) * wo + ox) * c + ch;
		store(dx, i, which[o] == k ? load(dy, o) : 0.f);
	}
}
REGISTER(NAME(max_pool_grad))

// Nearest ×2 to h × w.
KERNEL(NAME(upsample))(const T *x, T *y, int h, int w, int c, uint32_t total) {
	const int hi = (h + 1) / 2, wi = (w + 1) / 2;
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t r = i / c;
		const int px = (int)(r % w), py = (int)(r / w % h);
		const uint32_t n = r / w / h;
		store(y, i, load(x, ((n * hi + (py + h % 2) / 2) * wi + (px + w % 2) / 2) * c + ch));
	}
}
REGISTER(NAME(upsample))

// One thread an input value: the sum over the outputs that copied it.
KERNEL(NAME(upsample_grad))(const T *dy, T *dx, int h, int w, int c, uint32_t total) {
	const int hi = (h + 1) / 2, wi = (w + 1) / 2;
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const uint32_t r = i / c;
		const int sx = (int)(r % wi), sy = (int)(r / wi % hi);
		const uint32_t n = r / wi / hi;
		float sum = 0.f;
		for (int k = 0; k < 4; k++) {
			const int py = 2 * sy - h % 2 + k / 2, px = 2 * sx - w % 2 + k % 2;
			if (py >= 0 && px >= 0) sum += load(dy, ((n * h + py) * w + px) * c + ch);
		}
		store(dx, i, sum);
	}
}
REGISTER(NAME(upsample_grad))

// Sums over rows come in two halves: here, block (x, y) sums rows y·chunk … for
// channels x·32 …, 256 threads as 8 rows × 32 channels, into part[y][c].
// Channels fewer than 32 use `wide` lanes (a power of two) and 256/wide rows.
KERNEL(NAME(sum_rows))(const T *x, float *part, int c, int rows, int chunk, int wide) {
	SHARED(float, sums, 256);
	const int t = threadIdx.x, ch = blockIdx.x * wide + t % wide;
	const int first = blockIdx.y * chunk, end = first + chunk < rows ? first + chunk : rows;
	float a = 0.f;
	if (ch < c)
		for (int r = first + t / wide; r < end; r += 256 / wide) a += load(x, r * c + ch);
	sums[t] = a;
	__syncthreads();
	for (int o = 128; o >= wide; o /= 2) {
		if (t < o) sums[t] += sums[t + o];
		__syncthreads();
	}
	if (t < wide && ch < c) part[blockIdx.y * c + ch] = sums[t];
}
REGISTER(NAME(sum_rows))

// The same for batch statistics: pairs of sums of x − shift and its square. The
// shift, the first row, keeps the difference of squares exact enough in float.
KERNEL(NAME(norm_sums))(const T *x, float *part, float *shift, int c, int rows, int chunk, int wide) {
	SHARED(float, sums, 256);
	SHARED(float, squares, 256);
	const int t = threadIdx.x, ch = blockIdx.x * wide + t % wide;
	const int first = blockIdx.y * chunk, end = first + chunk < rows ? first + chunk : rows;
	float a = 0.f, q = 0.f;
	if (ch < c) {
		const float s = load(x, ch);
		for (int r = first + t / wide; r < end; r += 256 / wide) {
			const float v = load(x, r * c + ch) - s;
			a += v;
			q += v * v;
		}
		if (blockIdx.y == 0 && t < wide) shift[ch] = s;
	}
	sums[t] = a;
	squares[t] = q;
	__syncthreads();
	for (int o = 128; o >= wide; o /= 2) {
		if (t < o) {
			sums[t] += sums[t + o];
			squares[t] += squares[t + o];
		}
		__syncthreads();
	}
	if (t < wide && ch < c) {
		part[(blockIdx.y * c + ch) * 2] = sums[t];
		part[(blockIdx.y * c + ch) * 2 + 1] = squares[t];
	}
}
REGISTER(NAME(norm_sums))

// y = f(gamma·(x − mean)/√(variance + ε) + beta).
KERNEL(NAME(normalize))(const T *x, const float *gamma, const float *beta, const float *mean, const float *variance, T *y, int f, int c, uint32_t total) {
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const float scale = gamma[ch] / sqrtf(variance[ch] + BATCH_NORM_EPSILON);
		store(y, i, activate(f, (load(x, i) - mean[ch]) * scale + beta[ch]));
	}
}
REGISTER(NAME(normalize))

// dy before the activation that follows batch norm; its input is what gamma and
// beta made, its output y. Without one (LINEAR) y is not read.
__device__ inline float NAME(before)(int f, const T *y, const T *dy, long long i, float normalized) {
	const float g = load(dy, i);
	return f == LINEAR ? g : g * slope(f, normalized, load(y, i));
}

// Pairs of sums of dy and dy·x̂, in the order of sum_rows.
KERNEL(NAME(norm_grad_sums))(const T *x, const T *y, const T *dy, const float *gamma, const float *beta, const float *mean, const float *variance,
	float *part, int f, int c, int rows, int chunk, int wide) {
	SHARED(float, sums, 256);
	SHARED(float, products, 256);
	const int t = threadIdx.x, ch = blockIdx.x * wide + t % wide;
	const int first = blockIdx.y * chunk, end = first + chunk < rows ? first + chunk : rows;
	float a = 0.f, q = 0.f;
	if (ch < c) {
		const float m = mean[ch], inverse = 1.f / sqrtf(variance[ch] + BATCH_NORM_EPSILON);
		for (int r = first + t / wide; r < end; r += 256 / wide) {
			const float hat = (load(x, r * c + ch) - m) * inverse;
			const float g = NAME(before)(f, y, dy, r * c + ch, gamma[ch] * hat + beta[ch]);
			a += g;
			q += g * hat;
		}
	}
	sums[t] = a;
	products[t] = q;
	__syncthreads();
	for (int o = 128; o >= wide; o /= 2) {
		if (t < o) {
			sums[t] += sums[t + o];
			products[t] += products[t + o];
		}
		__syncthreads();
	}
	if (t < wide && ch < c) {
		part[(blockIdx.y * c + ch) * 2] = sums[t];
		part[(blockIdx.y * c + ch) * 2 + 1] = products[t];
	}
}
REGISTER(NAME(norm_grad_sums))

// dx = gamma/σ · (dy − mean(dy) − x̂·mean(dy·x̂)); dx may be dy.
KERNEL(NAME(norm_grad))(const T *x, const T *y, const T *dy, const float *gamma, const float *beta, const float *mean, const float *variance,
	const float *dgamma, const float *dbeta, T *dx, int f, int c, float rows, uint32_t total) {
	FOR_EACH(i, total) {
		const int ch = (int)(i % c);
		const float inverse = 1.f / sqrtf(variance[ch] + BATCH_NORM_EPSILON);
		const float hat = (load(x, i) - mean[ch]) * inverse;
		const float g = NAME(before)(f, y, dy, i, gamma[ch] * hat + beta[ch]);
		store(dx, i, gamma[ch] * inverse * (g - dbeta[ch] / rows - hat * dgamma[ch] / rows));
	}
}
REGISTER(NAME(norm_grad))
