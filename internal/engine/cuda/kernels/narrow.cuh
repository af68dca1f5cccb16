// Included by conv.cu for each pair of types, as conv.cuh is: convolutions with few
// channels on a side. A block has a tile of an image in shared memory, th × tw output
// pixels and what they read, and 1 << bits of its channels at a time.

// At most 8 output channels, stride 1 where it is turned: a thread holds G of them of P
// pixels below each other, which with P > 1 wants stride 1. b may be null.
template <int G, int P>
__device__ inline void NAME(few)(const X *x, const float *weight, const float *b, Y *y, int f,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned, int th, int tw, int bits) {
	SHARED(float, tile, HELD);
	const int t = threadIdx.x, channels = 1 << bits, pitch = channels + (bits > 2 ? 4 : 0); // neighbours are in other banks
	const int down = (ho + th - 1) / th, across = (wo + tw - 1) / tw;
	const int oy = blockIdx.x / across % down * th, ox = blockIdx.x % across * tw, image = blockIdx.x / across / down;
	const int columns = (tw - 1) * stride + k, rows = (th - 1) * stride + k, row = t / tw * P, column = t % tw;
	float *filter = tile + rows * columns * pitch;
	const float *first = tile + (row * columns + column) * stride * pitch;
	float sum[P][G];
	for (int g = 0; g < G; g++)
		for (int p = 0; p < P; p++) sum[p][g] = b && g < o ? b[g] : 0.f;
#pragma unroll 1
	for (int c0 = 0; c0 < c; c0 += channels) {
		stage(tile, pitch, x + (long long)image * h * w * c, h, w, c, c0, bits, oy * stride - k / 2, ox * stride - k / 2, rows, columns);
#pragma unroll 1
		for (int e = t; e < k * k * channels * G; e += AT_ONCE * 256) {
			float v[AT_ONCE];
			for (int i = 0; i < AT_ONCE; i++) {
				const int at = e + i * 256, g = at % G, in = c0 + (at / G & (channels - 1)), tap = at / G >> bits;
				const bool there = tap < k * k && g < o && in < c;
				v[i] = weight[there ? turned ? (in * k * k + k * k - 1 - tap) * o + g : (g * k * k + tap) * c + in : 0];
				v[i] = there ? v[i] : 0.f;
			}
			for (int i = 0; i < AT_ONCE; i++)
				if (e + i * 256 < k * k * channels * G) filter[e + i * 256] = v[i];
		}
		__syncthreads();
		if (row < th)
#pragma unroll 1
			for (int kx = 0; kx < k; kx++)
#pragma unroll 1
				for (int ch = 0; ch < channels; ch += 4) {
					const float *at = first + kx * pitch + ch, *by = filter + (kx * channels + ch) * G;
					float4 v[P];
					for (int p = 0; p < P - 1; p++, at += columns * pitch) v[p] = load4(at);
#pragma unroll 1
					for (int ky = 0; ky < k; ky++, at += columns * pitch, by += k * channels * G) {
						v[P - 1] = load4(at);
						product<G, P>(sum, v, by);
						for (int p = 0; p < P - 1; p++) v[p] = v[p + 1];
					}
				}
		__syncthreads();
	}
	if (row >= th || ox + column >= wo) return;
	for (int p = 0; p < P && row + p < th && oy + row + p < ho; p++) {
		const uint32_t pixel = ((uint32_t)image * ho + oy + row + p) * wo + ox + column;
		for (int g = 0; g < G; g++)
			if (g < o) store(y, pixel * o + g, finish(f, sum[p][g]));
	}
}

#define FEW(name, G, P) \
	KERNEL(NAME(name))(const X *x, const float *weight, const float *b, Y *y, int f, \
		int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned, int th, int tw, int bits) { \
		NAME(few)<G, P>(x, weight, b, y, f, n, h, w, c, ho, wo, o, k, stride, turned, th, tw, bits); \
	} \
	REGISTER(NAME(name))
FEW(conv_few1, 1, 4)
FEW(conv_few4, 4, 1)
FEW(conv_few8, 8, 1)
#undef FEW

// Few input channels, stride 1: a block has 1 << obits output channels; a thread holds 4
// of them, of 4 pixels below each other, and takes W input channels at a time. b may be null.
template <int W>
__device__ inline void NAME(spread)(const X *x, const float *weight, const float *b, Y *y, int f,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned, int th, int tw, int bits, int obits) {
	SHARED(float, filter, HELD);
	const int t = threadIdx.x, channels = 1 << bits, lanes = 1 << (obits - 2), out = t % lanes * 4, o0 = blockIdx.y << obits, taps = k * k << bits;
	const int down = (ho + th - 1) / th, across = (wo + tw - 1) / tw, columns = tw + k - 1;
	const int pixel = channels + (W > 1 && bits > 2 ? 4 : 0), pitch = columns * pixel; // neighbours are in other banks
	const int oy = blockIdx.x / across % down * th, ox = blockIdx.x % across * tw, image = blockIdx.x / across / down;
	float *tile = filter + (taps << obits);
	stage(tile, pixel, x + (long long)image * h * w * c, h, w, c, 0, bits, oy - k / 2, ox - k / 2, (th + 3) / 4 * 4 + k - 1, columns);
#pragma unroll 1
	for (int e = t; e < taps << obits; e += 256) { // consecutive threads read consecutive weights where it is turned
		const int in = (e >> obits) & (channels - 1), tap = e >> obits >> bits, to = o0 + (e & ((1 << obits) - 1));
		const bool there = to < o && in < c;
		const float v = weight[there ? turned ? (in * k * k + k * k - 1 - tap) * o + to : (to * k * k + tap) * c + in : 0];
		filter[e] = there ? v : 0.f;
	}
	__syncthreads();
	const int first = o0 + out, there = o - first < 4 ? o - first : 4;
	float bias[4];
	for (int j = 0; j < 4; j++) bias[j] = b && j < there ? b[first + j] : 0.f;
#pragma unroll 1
	for (int slot = t / lanes; slot < (th + 3) / 4 * tw; slot += 256 / lanes) {
		const int row = slot / tw * 4, column = slot - row / 4 * tw;
		float sum[4][4];
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++) sum[i][j] = bias[j];
		const float *at = tile + row * pitch + column * pixel, *by = filter + out;
#pragma unroll 1
		for (int each = 0; each < k << bits; each += W, by += W << obits)
			tap_column<W>(sum, at + (W == 1 ? each : (each >> bits) * pixel + (each & (channels - 1))), pitch, by, k << bits << obits, obits, k);
		for (int i = 0; i < 4; i++) {
			if (row + i >= th || oy + row + i >= ho || ox + column >= wo) break;
			const uint32_t at = (((uint32_t)image * ho + oy + row + i) * wo + ox + column) * o + first;
			for (int j = 0; j < 4; j++) sum[i][j] = finish(f, sum[i][j]);
			if (o % 4 == 0 && there == 4) {
				store4(y + at, sum[i]);
				continue;
			}
			for (int j = 0; j < 4; j++)
				if (j < there) store(y, at + j, sum[i][j]);
		}
	}
}

#define SPREAD(name, W) \
	KERNEL(NAME(name))(const X *x, const float *weight, const float *b, Y *y, int f, \
		int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int turned, int th, int tw, int bits, int obits) { \
		NAME(spread)<W>(x, weight, b, y, f, n, h, w, c, ho, wo, o, k, stride, turned, th, tw, bits, obits); \
	} \
	REGISTER(NAME(name))
SPREAD(conv_spread1, 1)
SPREAD(conv_spread4, 4)
#undef SPREAD

// Weight gradient: a block has 1 << bits input and 1 << obits output channels, and sums
// tiles z·each …; a thread holds TM output channels × TN pairs of a tap and an input
// channel, of every so manieth row: each such share of the rows is a part of its own.
template <int TM, bool NEIGHBOURS>
__device__ inline void NAME(narrow)(const X *x, const Y *dy, float *part,
	int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, int each, int th, int tw, int bits, int obits) {
	SHARED(float, image, HELD);
	const int TN = 4; // neighbouring channels of a tap, or any
	const int t = threadIdx.x, down = (ho + th - 1) / th, across = (wo + tw - 1) / tw, tiles = n * down * across;
	const int columns = (tw - 1) * stride + k, rows = (th - 1) * stride + k, pairs = k * k << bits;
	const int out = t % ((1 << obits) / TM) * TM, rest = t / ((1 << obits) / TM), groups = (pairs + TN - 1) / TN;
	const int shares = 256 / ((1 << obits) / TM * groups), share = rest / groups;
	const int length = (th * tw + shares - 1) / shares, step = stride << bits;
	float *grad = image + (((rows * columns + 3) & ~3) << bits);
	int pair[TN], offset[TN];
	float sum[TM][TN];
	for (int j = 0; j < TN; j++) {
		const int at = NEIGHBOURS ? rest % groups * TN + j : rest % groups + j * groups, tap = at >> bits;
		pair[j] = at < pairs ? at : -1;
		offset[j] = at < pairs ? ((tap / k * columns + tap % k) << bits) + (at & ((1 << bits) - 1)) : 0;
		for (int i = 0; i < TM; i++) sum[i][j] = 0.f;
	}
	const int begin = blockIdx.z * each, last = begin + each < tiles ? begin + each : tiles;
#pragma unroll 1
	for (int at = begin; at < last; at++) {
		const int oy = at / across % down * th, ox = at % across * tw, from = at / across / down;
		stage(image, 1 << bits, x + (long long)from * h * w * c, h, w, c, blockIdx.x << bits, bits, oy * stride - k / 2, ox * stride - k / 2, rows, columns);
		stage(grad, 1 << obits, dy + (long long)from * ho * wo * o, ho, wo, o, blockIdx.y << obits, obits, oy, ox, th, tw);
		__syncthreads();
		const int end = share < shares ? min(share * length + length, th * tw) : 0;
#pragma unroll 1
		for (int q = share * length; q < end;) { // the rest of a row, or of the share
			const int row = q / tw, column = q - row * tw, until = min(tw, column + end - q);
			const float *d = grad + (q << obits) + out;
			const int v = (row * columns + column) * step;
			if (step == 1) along<TM, NEIGHBOURS, 1>(sum, d, 1 << obits, image, v, step, until - column, offset);
			else along<TM, NEIGHBOURS, 0>(sum, d, 1 << obits, image, v, step, until - column, offset);
			q += until - column;
		}
		__syncthreads();
	}
	for (int i = 0; i < TM; i++)
		for (int j = 0; j < TN; j++) image[(i * TN + j) * 256 + t] = sum[i][j];
	__syncthreads();
	if (share > 0) return;
	const int members = (1 << obits) / TM * groups;
#pragma unroll 1
	for (int s = 1; s < shares; s++)
		for (int i = 0; i < TM; i++)
			for (int j = 0; j < TN; j++) sum[i][j] += image[(i * TN + j) * 256 + t + s * members];
	float *to = part + (long long)blockIdx.z * o * k * k * c;
	for (int j = 0; j < TN; j++) {
		const int in = (blockIdx.x << bits) + (pair[j] & ((1 << bits) - 1)), tap = pair[j] >> bits;
		if (pair[j] < 0 || in >= c) continue;
		for (int i = 0; i < TM; i++) {
			const int channel = (blockIdx.y << obits) + out + i;
			if (channel < o) to[((long long)channel * k * k + tap) * c + in] = sum[i][j];
		}
	}
}

#define NARROW_WEIGHT(name, TM, NEIGHBOURS) \
	KERNEL(NAME(name))(const X *x, const Y *dy, float *part, int n, int h, int w, int c, int ho, int wo, int o, int k, int stride, \
		int each, int th, int tw, int bits, int obits) { \
		NAME(narrow)<TM, NEIGHBOURS>(x, dy, part, n, h, w, c, ho, wo, o, k, stride, each, th, tw, bits, obits); \
	} \
	REGISTER(NAME(name))
NARROW_WEIGHT(conv_weight_few1, 1, true)
NARROW_WEIGHT(conv_weight_few4, 4, true)
NARROW_WEIGHT(conv_weight_spread, 8, false)
#undef NARROW_WEIGHT
