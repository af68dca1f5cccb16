// Included by layers.cu once for each activation type T; NAME adds its suffix.
// rows is N·H·W: an activation is a matrix of rows × c.
//
// Kernels whose last parameter is `wide` have lanes of four channels where c is a multiple
// of four, the others of one (sums.cuh).
#define BY_LANES(body, ...) \
	if (c % 4 == 0) NAME(body)<4>(__VA_ARGS__); \
	else NAME(body)<1>(__VA_ARGS__)

// Those that take every value once go through it by fours too.
#define BY_FOURS(body, ...) \
	if (c % 4 == 0) FOR_EACH(four, total / 4) NAME(body)<4>(four * 4, __VA_ARGS__); \
	else FOR_EACH(i, total) NAME(body)<1>(i, __VA_ARGS__)

// y = f(y + b), after a convolution that has neither.
template <int W> __device__ inline void NAME(bias_activated)(uint32_t i, T *y, const float *b, int f, int c) {
	float v[W];
	load_some<W>(v, y, i);
	for (int j = 0; j < W; j++) v[j] = activate(f, v[j] + b[i % c + j]);
	store_some<W>(y + i, v);
}
KERNEL(NAME(bias_activate))(T *y, const float *b, int f, int c, uint32_t total) { BY_FOURS(bias_activated, y, b, f, c); }
REGISTER(NAME(bias_activate))

KERNEL(NAME(activate))(const T *x, T *y, int f, uint32_t total) {
	FOR_EACH(i, total) store(y, i, activate(f, load(x, i)));
}
REGISTER(NAME(activate))

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
template <int W> __device__ inline void NAME(pooled)(uint32_t i, const T *x, T *y, uint8_t *which, int h, int w, int c) {
	const int ho = (h + 1) / 2, wo = (w + 1) / 2, ch = (int)(i % c);
	const uint32_t r = i / c;
	const int ox = (int)(r % wo), oy = (int)(r / wo % ho);
	const uint32_t n = r / wo / ho;
	const int top = 2 * oy - h % 2, left = 2 * ox - w % 2;
	float largest[W];
	int best[W];
	for (int j = 0; j < W; j++) largest[j] = 0.f, best[j] = -1;
	for (int k = 0; k < 4; k++) {
		const int py = top + k / 2, px = left + k % 2;
		if (py < 0 || px < 0) continue;
		float v[W];
		load_some<W>(v, x, ((n * h + py) * w + px) * c + ch);
		for (int j = 0; j < W; j++)
			if (best[j] < 0 || v[j] > largest[j] || (v[j] != v[j] && largest[j] == largest[j])) best[j] = k, largest[j] = v[j];
	}
	store_some<W>(y + i, largest);
	if (!which) return;
	if constexpr (W == 4) store_bytes(which + i, best[0] | best[1] << 8 | best[2] << 16 | best[3] << 24);
	else which[i] = (uint8_t)best[0];
}
KERNEL(NAME(max_pool))(const T *x, T *y, uint8_t *which, int h, int w, int c, uint32_t total) { BY_FOURS(pooled, x, y, which, h, w, c); }
REGISTER(NAME(max_pool))

// The gradient of an activation: where it was pooled (`which` isn't null, and h × w the
// activation's), the window's gradient where it was the maximum.
struct NAME(Gradient) {
	const T *dy;
	const uint8_t *which;
	int h, w, c;
};
template <int W> __device__ inline void NAME(gradient)(float *g, const NAME(Gradient) &of, uint32_t row, uint32_t ch) {
	if (!of.which) {
		load_some<W>(g, of.dy, row * of.c + ch);
		return;
	}
	const int h = of.h, w = of.w, px = (int)(row % w), py = (int)(row / w % h);
	const uint32_t n = row / w / h;
	const uint32_t k = (py + h % 2) % 2 * 2 + (px + w % 2) % 2;
	const uint32_t o = ((n * ((h + 1) / 2) + (py + h % 2) / 2) * ((w + 1) / 2) + (px + w % 2) / 2) * of.c + ch;
	load_some<W>(g, of.dy, o);
	const uint32_t which = W == 4 ? load_bytes(of.which + o) : of.which[o];
	for (int j = 0; j < W; j++)
		if ((which >> 8 * j & 255) != k) g[j] = 0.f;
}

template <int W> __device__ inline void NAME(pool_gradient)(uint32_t i, const NAME(Gradient) &of, T *dx) {
	float g[W];
	NAME(gradient)<W>(g, of, i / of.c, i % of.c);
	store_some<W>(dx + i, g);
}
KERNEL(NAME(max_pool_grad))(const T *dy, const uint8_t *which, T *dx, int h, int w, int c, uint32_t total) {
	const NAME(Gradient) of = {dy, which, h, w, c};
	BY_FOURS(pool_gradient, of, dx);
}
REGISTER(NAME(max_pool_grad))

// Nearest ×2 to h × w.
template <int W> __device__ inline void NAME(upsampled)(uint32_t i, const T *x, T *y, int h, int w, int c) {
	const int hi = (h + 1) / 2, wi = (w + 1) / 2, ch = (int)(i % c);
	const uint32_t r = i / c;
	const int px = (int)(r % w), py = (int)(r / w % h);
	const uint32_t n = r / w / h;
	float v[W];
	load_some<W>(v, x, ((n * hi + (py + h % 2) / 2) * wi + (px + w % 2) / 2) * c + ch);
	store_some<W>(y + i, v);
}
KERNEL(NAME(upsample))(const T *x, T *y, int h, int w, int c, uint32_t total) { BY_FOURS(upsampled, x, y, h, w, c); }
REGISTER(NAME(upsample))

// For an input value, the sum over the outputs that copied it.
template <int W> __device__ inline void NAME(upsample_gradient)(uint32_t i, const T *dy, T *dx, int h, int w, int c) {
	const int hi = (h + 1) / 2, wi = (w + 1) / 2, ch = (int)(i % c);
	const uint32_t r = i / c;
	const int sx = (int)(r % wi), sy = (int)(r / wi % hi);
	const uint32_t n = r / wi / hi;
	float sum[W];
	for (int j = 0; j < W; j++) sum[j] = 0.f;
	for (int k = 0; k < 4; k++) {
		const int py = 2 * sy - h % 2 + k / 2, px = 2 * sx - w % 2 + k % 2;
		if (py < 0 || px < 0) continue;
		float v[W];
		load_some<W>(v, dy, ((n * h + py) * w + px) * c + ch);
		for (int j = 0; j < W; j++) sum[j] += v[j];
	}
	store_some<W>(dx + i, sum);
}
KERNEL(NAME(upsample_grad))(const T *dy, T *dx, int h, int w, int c, uint32_t total) { BY_FOURS(upsample_gradient, dy, dx, h, w, c); }
REGISTER(NAME(upsample_grad))

// A block's sums over its rows, one for each channel, into part[y][c]; what comes after
// them adds the parts. This is the gradient of a bias.
template <int W> __device__ inline void NAME(row_sums)(float *shared, const T *x, float *part, int c, int rows, int chunk, int wide) {
	const Lane l = lane<W>(c, rows, chunk, wide);
	float sum[W] = {};
	if (l.used)
		for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
			float v[AHEAD<W>][W];
			for (int k = 0; k < AHEAD<W>; k++) load_some<W>(v[k], x, ahead(l, r, k) * c + l.channel);
			for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++)
				for (int j = 0; j < W; j++) sum[j] += v[k][j];
		}
	lane_sums<W, 1>(shared, sum, part, l, c, wide);
}
KERNEL(NAME(sum_rows))(const T *x, float *part, int c, int rows, int chunk, int wide) {
	SHARED(float, shared, 1024);
	BY_LANES(row_sums, shared, x, part, c, rows, chunk, wide);
}
REGISTER(NAME(sum_rows))

// dx = dy·f′, and its sums over rows where part isn't null; x is read by SiLU alone.
template <int W> __device__ inline void NAME(activation_gradient)(float *shared, const T *x, const T *y, const NAME(Gradient) &dy, T *dx, float *part,
	int f, int rows, int chunk, int wide) {
	const int c = dy.c;
	const Lane l = lane<W>(c, rows, chunk, wide);
	float sum[W] = {};
	if (l.used)
		for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
			float g[AHEAD<W>][W], before[AHEAD<W>][W], after[AHEAD<W>][W];
			for (int k = 0; k < AHEAD<W>; k++) {
				NAME(gradient)<W>(g[k], dy, ahead(l, r, k), l.channel);
				load_some<W>(after[k], y, ahead(l, r, k) * c + l.channel);
			}
			if (f == SILU)
				for (int k = 0; k < AHEAD<W>; k++) load_some<W>(before[k], x, ahead(l, r, k) * c + l.channel);
			for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++) {
				for (int j = 0; j < W; j++) {
					g[k][j] *= slope(f, before[k][j], after[k][j]);
					sum[j] += rounded(dx, g[k][j]);
				}
				store_some<W>(dx + (r + k * l.step) * c + l.channel, g[k]);
			}
		}
	if (part) lane_sums<W, 1>(shared, sum, part, l, c, wide);
}
KERNEL(NAME(activate_grad))(const T *x, const T *y, const T *dy, const uint8_t *which, T *dx, float *part, int f, int h, int w, int c, int rows, int chunk, int wide) {
	SHARED(float, shared, 1024);
	const NAME(Gradient) of = {dy, which, h, w, c};
	BY_LANES(activation_gradient, shared, x, y, of, dx, part, f, rows, chunk, wide);
}
REGISTER(NAME(activate_grad))

// For batch statistics: pairs of sums of y − shift and its square, y = x or, where b isn't
// null, f(x + b), which is kept. The shift, the first row, keeps the difference of squares
// exact enough in float.
template <int W> __device__ inline void NAME(value_sums)(float *shared, const T *x, const float *b, T *y, float *part, float *shift, int f, int c, int rows, int chunk, int wide) {
	const Lane l = lane<W>(c, rows, chunk, wide);
	float sum[2 * W] = {}, bias[W], first[W];
	if (l.used) {
		for (int j = 0; j < W; j++) bias[j] = b ? b[l.channel + j] : 0.f;
		load_some<W>(first, x, l.channel);
		if (b)
			for (int j = 0; j < W; j++) first[j] = rounded(y, activate(f, first[j] + bias[j]));
		if (l.row == 0)
			for (int j = 0; j < W; j++) shift[l.channel + j] = first[j];
		for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
			float v[AHEAD<W>][W];
			for (int k = 0; k < AHEAD<W>; k++) load_some<W>(v[k], x, ahead(l, r, k) * c + l.channel);
			for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++) {
				if (b) {
					for (int j = 0; j < W; j++) v[k][j] = activate(f, v[k][j] + bias[j]);
					store_some<W>(y + (r + k * l.step) * c + l.channel, v[k]);
				}
				for (int j = 0; j < W; j++) {
					const float d = rounded(x, v[k][j]) - first[j];
					sum[2 * j] += d;
					sum[2 * j + 1] += d * d;
				}
			}
		}
	}
	lane_sums<W, 2>(shared, sum, part, l, c, wide);
}
KERNEL(NAME(norm_sums))(const T *x, const float *b, T *y, float *part, float *shift, int f, int c, int rows, int chunk, int wide) {
	SHARED(float, shared, 2048);
	BY_LANES(value_sums, shared, x, b, y, part, shift, f, c, rows, chunk, wide);
}
REGISTER(NAME(norm_sums))

// y = f(gamma·(x − mean)/√(variance + ε) + beta).
template <int W> __device__ inline void NAME(normalized)(const T *x, const float *gamma, const float *beta, const float *mean, const float *variance, T *y,
	int f, int c, int rows, int chunk, int wide) {
	const Lane l = lane<W>(c, rows, chunk, wide);
	if (!l.used) return;
	float scale[W], m[W], shift[W];
	for (int j = 0; j < W; j++) {
		const int ch = l.channel + j;
		scale[j] = gamma[ch] / sqrtf(variance[ch] + BATCH_NORM_EPSILON), m[j] = mean[ch], shift[j] = beta[ch];
	}
	for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
		float v[AHEAD<W>][W];
		for (int k = 0; k < AHEAD<W>; k++) load_some<W>(v[k], x, ahead(l, r, k) * c + l.channel);
		for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++) {
			for (int j = 0; j < W; j++) v[k][j] = activate(f, (v[k][j] - m[j]) * scale[j] + shift[j]);
			store_some<W>(y + (r + k * l.step) * c + l.channel, v[k]);
		}
	}
}
KERNEL(NAME(normalize))(const T *x, const float *gamma, const float *beta, const float *mean, const float *variance, T *y, int f, int c, int rows, int chunk, int wide) {
	BY_LANES(normalized, x, gamma, beta, mean, variance, y, f, c, rows, chunk, wide);
}
REGISTER(NAME(normalize))

// A batch norm on the way back: f follows it, whose output y is read where f isn't LINEAR;
// dy is the gradient of that.
struct NAME(Norm) {
	const T *x, *y;
	const float *gamma, *beta, *mean, *variance;
	int f;
};

// What a thread keeps of its channels' norms.
template <int W> struct NAME(Channels) {
	float gamma[W], beta[W], mean[W], inverse[W];

	__device__ inline NAME(Channels)(const NAME(Norm) &of, uint32_t channel) {
		for (int j = 0; j < W; j++) {
			const int ch = channel + j;
			gamma[j] = of.gamma[ch], beta[j] = of.beta[ch], mean[j] = of.mean[ch];
			inverse[j] = 1.f / sqrtf(of.variance[ch] + BATCH_NORM_EPSILON);
		}
	}
	__device__ inline float hat(int j, float x) const { return (x - mean[j]) * inverse[j]; }
};

// x and the gradient before f, of some rows of a thread.
template <int W> __device__ inline void NAME(before)(float (*x)[W], float (*g)[W], const NAME(Norm) &of, const NAME(Gradient) &dy, const NAME(Channels)<W> &at,
	const Lane &l, uint32_t r) {
	float y[AHEAD<W>][W];
	for (int k = 0; k < AHEAD<W>; k++) {
		load_some<W>(x[k], of.x, ahead(l, r, k) * dy.c + l.channel);
		NAME(gradient)<W>(g[k], dy, ahead(l, r, k), l.channel);
	}
	if (of.f == LINEAR) return;
	for (int k = 0; k < AHEAD<W>; k++) load_some<W>(y[k], of.y, ahead(l, r, k) * dy.c + l.channel);
	for (int k = 0; k < AHEAD<W>; k++)
		for (int j = 0; j < W; j++) g[k][j] *= slope(of.f, at.gamma[j] * at.hat(j, x[k][j]) + at.beta[j], y[k][j]);
}

// Pairs of sums of the gradient before f, and of its product with x̂.
template <int W> __device__ inline void NAME(gradient_sums)(float *shared, const NAME(Norm) &of, const NAME(Gradient) &dy, float *part, int rows, int chunk, int wide) {
	const int c = dy.c;
	const Lane l = lane<W>(c, rows, chunk, wide);
	float sum[2 * W] = {};
	if (l.used) {
		const NAME(Channels)<W> at(of, l.channel);
		for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
			float x[AHEAD<W>][W], g[AHEAD<W>][W];
			NAME(before)<W>(x, g, of, dy, at, l, r);
			for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++)
				for (int j = 0; j < W; j++) {
					sum[2 * j] += g[k][j];
					sum[2 * j + 1] += g[k][j] * at.hat(j, x[k][j]);
				}
		}
	}
	lane_sums<W, 2>(shared, sum, part, l, c, wide);
}
KERNEL(NAME(norm_grad_sums))(const T *x, const T *y, const T *dy, const uint8_t *which, const float *gamma, const float *beta, const float *mean, const float *variance,
	float *part, int f, int h, int w, int c, int rows, int chunk, int wide) {
	SHARED(float, shared, 2048);
	const NAME(Norm) of = {x, y, gamma, beta, mean, variance, f};
	const NAME(Gradient) g = {dy, which, h, w, c};
	BY_LANES(gradient_sums, shared, of, g, part, rows, chunk, wide);
}
REGISTER(NAME(norm_grad_sums))

// dx = gamma/σ · (dy − mean(dy) − x̂·mean(dy·x̂)). Where x is the output of an activation
// `below`, of z, dx is the gradient of z, which SiLU alone reads. part is as that of
// activate_grad.
template <int W> __device__ inline void NAME(norm_gradient)(float *shared, const NAME(Norm) &of, const NAME(Gradient) &dy, const float *dgamma, const float *dbeta,
	const T *z, int below, T *dx, float *part, int rows, int chunk, int wide) {
	const int c = dy.c;
	const Lane l = lane<W>(c, rows, chunk, wide);
	float sum[W] = {};
	if (l.used) {
		const NAME(Channels)<W> at(of, l.channel);
		float even[W], product[W];
		for (int j = 0; j < W; j++) even[j] = dbeta[l.channel + j] / (float)rows, product[j] = dgamma[l.channel + j] / (float)rows;
		for (uint32_t r = l.row; r < l.end; r += AHEAD<W> * l.step) {
			float x[AHEAD<W>][W], g[AHEAD<W>][W], u[AHEAD<W>][W];
			NAME(before)<W>(x, g, of, dy, at, l, r);
			if (below == SILU)
				for (int k = 0; k < AHEAD<W>; k++) load_some<W>(u[k], z, ahead(l, r, k) * c + l.channel);
			for (int k = 0; k < AHEAD<W> && r + k * l.step < l.end; k++) {
				for (int j = 0; j < W; j++) {
					float v = at.gamma[j] * at.inverse[j] * (g[k][j] - even[j] - at.hat(j, x[k][j]) * product[j]);
					if (below != LINEAR) v = rounded(dx, v) * slope(below, u[k][j], x[k][j]);
					g[k][j] = v;
					sum[j] += rounded(dx, v);
				}
				store_some<W>(dx + (r + k * l.step) * c + l.channel, g[k]);
			}
		}
	}
	if (part) lane_sums<W, 1>(shared, sum, part, l, c, wide);
}
KERNEL(NAME(norm_grad))(const T *x, const T *y, const T *dy, const uint8_t *which, const float *gamma, const float *beta, const float *mean, const float *variance,
	const float *dgamma, const float *dbeta, const T *z, T *dx, float *part, int f, int below, int h, int w, int c, int rows, int chunk, int wide) {
	SHARED(float, shared, 1024);
	const NAME(Norm) of = {x, y, gamma, beta, mean, variance, f};
	const NAME(Gradient) g = {dy, which, h, w, c};
	BY_LANES(norm_gradient, shared, of, g, dgamma, dbeta, z, below, dx, part, rows, chunk, wide);
}
REGISTER(NAME(norm_grad))
