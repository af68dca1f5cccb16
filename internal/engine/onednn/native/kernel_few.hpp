// Convolutions of stride 1 with one to three channels on one side (or four times
// that: the phases of an upsampled image), where oneDNN fills one lane of sixteen. Lanes are the channels of the other side; the few
// side's image is copied into a border of zeros first.

typedef float V __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

// Copies image n of x into the middle of a zeroed border of kernel/2.
template <class T> static void border(const Shape &s, int kernel, int n, const T *x, float *buf) {
  int p = kernel / 2;
  size_t row = size_t(s.w) * s.c, wide = size_t(s.w + 2 * p) * s.c;
  for (int h = 0; h < s.h; h++) {
    const T *from = x + (size_t(n) * s.h + h) * row;
    float *to = buf + (h + p) * wide + p * s.c;
    EACH(i, row) to[i] = from[i];
  }
}
static size_t bordered(const Shape &s, int kernel) { return size_t(s.h + kernel - 1) * (s.w + kernel - 1) * s.c + 2 * lanes; }

// each_vector covers the channels with vectors of L values, at c each: a side of
// four or eight channels would leave most of a longer one idle.
template <class F> [[gnu::always_inline]] static inline void each_vector(int channels, F f) {
  for (int c = 0; c < channels;) {
    if (channels - c <= 4) f(Const<4>(), c), c += 4;
    else if (channels - c <= 8) f(Const<8>(), c), c += 8;
    else f(Const<lanes>(), c), c += lanes;
  }
}

// One row of P pixels, one vector of output channels: taps × pixels multiply-adds.
template <int P, class V> static inline void few_pixels(int kernel, int f, size_t wide, int many, const float *x, const float *w, const V &bias, float *y) {
  V acc[P];
  for (int i = 0; i < P; i++) acc[i] = bias;
  for (int k = 0; k < kernel; k++)
    for (int j = 0; j < kernel * f; j++, w += many) {
      V u = load<V>(w);
      for (int i = 0; i < P; i++) acc[i] += x[k * wide + i * f + j] * u;
    }
  for (int i = 0; i < P; i++) keep(y + size_t(i) * many, acc[i]);
}
template <int K, int F> KERNEL void few_row(int width, size_t wide, int channels, int many, const float *x, const float *w, const float *bias, float *y) {
  each_vector(channels, [=](auto L, int c) {
    auto b = load<typename Lanes<L.value>::F>(bias + c);
    int i = 0;
    for (; i + 8 <= width; i += 8) few_pixels<8>(K, F, wide, many, x + i * F, w + c, b, y + size_t(i) * many + c);
    for (; i + 4 <= width; i += 4) few_pixels<4>(K, F, wide, many, x + i * F, w + c, b, y + size_t(i) * many + c);
    for (; i + 2 <= width; i += 2) few_pixels<2>(K, F, wide, many, x + i * F, w + c, b, y + size_t(i) * many + c);
    for (; i < width; i++) few_pixels<1>(K, F, wide, many, x + i * F, w + c, b, y + size_t(i) * many + c);
  });
}

// bykernel calls f with constants for kernel and few channels.
template <class F> static void bykernel(int kernel, int few, F f) {
  auto channels = [&](auto K) {
    switch (few) {
    case 1: return f(K, Const<1>());
    case 2: return f(K, Const<2>());
    case 3: return f(K, Const<3>());
    case 4: return f(K, Const<4>());
    case 8: return f(K, Const<8>());
    default: return f(K, Const<12>());
    }
  };
  switch (kernel) {
  case 1: return channels(Const<1>());
  case 3: return channels(Const<3>());
  case 5: return channels(Const<5>());
  default: return channels(Const<7>());
  }
}

template <class T> void few_to_many(const Few &g, const void *few_, const float *w, const float *bias, Act act, void *many_) {
  const Shape &f = g.few, &m = g.many;
  int padded = (m.c + lanes - 1) / lanes * lanes;
  size_t size = bordered(f, g.kernel), wide = size_t(f.w + g.kernel - 1) * f.c, row = size_t(m.w) * m.c;
  float *buf = g.scratch, *b = buf + size, *y = b + padded;
  zero(buf, size), zero(b, padded);
  if (bias) EACH(i, size_t(m.c)) b[i] = bias[i];
  for (int n = 0; n < m.n; n++) {
    border(f, g.kernel, n, (const T *)few_, buf);
    for (int h = 0; h < m.h; h++) {
      size_t at = (size_t(n) * m.h + h) * row;
      bool direct = g.wide && padded == m.c;
      float *o = direct ? (float *)many_ + at : y;
      bykernel(g.kernel, f.c, [&](auto K, auto C) { few_row<K.value, C.value>(m.w, wide, m.c, padded, buf + h * wide, w, b, o); });
      if (padded != m.c)
        for (int i = 1; i < m.w; i++)
          for (int c = 0; c < m.c; c++) y[i * m.c + c] = y[i * padded + c];
      if (act) activate(act, row, o, o);
      if (g.wide && !direct) EACH(i, row) ((float *)many_)[at + i] = o[i];
      if (!g.wide) EACH(i, row) ((T *)many_)[at + i] = o[i];
    }
  }
}

// totals gives the sum of each of `lanes` vectors, in their order: each round
// adds the halves of every vector's part and puts two vectors' parts side by side.
typedef int Places __attribute__((vector_size(4 * lanes)));
struct Rounds {
  int low[4][lanes], high[4][lanes]; // places in the pair of vectors; 8 lanes have 3 rounds
  constexpr Rounds() : low(), high() {
    for (int r = 0, part = lanes; part > 1; r++, part /= 2)
      for (int i = 0, half = part / 2; i < lanes; i++) {
        int vector = i / (lanes / 2), in = i % (lanes / 2);
        low[r][i] = vector * lanes + in / half * part + in % half;
        high[r][i] = low[r][i] + half;
      }
  }
};
alignas(64) static const Rounds rounds;

static inline V totals(V *v) { // unrolled, so that no vector leaves its register
#pragma GCC unroll 4
  for (int r = 0, n = lanes / 2; n; r++, n /= 2) {
    Places low = *(const Places *)rounds.low[r], high = *(const Places *)rounds.high[r];
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) v[i] = __builtin_shuffle(v[2 * i], v[2 * i + 1], low) + __builtin_shuffle(v[2 * i], v[2 * i + 1], high);
  }
  return v[0];
}

// w is [few][kernel][kernel·many, padded to lanes]: one row of the kernel lies
// as one stretch, as the pixels under it do. A vector of sums is P pixels of F
// channels each; b holds the biases in the same order. y has pixels of `few`
// channels, and room for whole vectors.
template <int K, int F> KERNEL void many_row(int width, size_t wide, int many, int stretch, int few, const float *x, const float *w, const float *bias, float *y) {
  constexpr int P = lanes / F;
  V b = {};
  for (int l = 0; l < P * F; l++) b[l] = bias[l % F];
  for (int i = 0; i < width; i += P) {
    V acc[lanes] = {};
    for (int k = 0; k < K; k++)
      for (int j = 0; j < stretch; j += lanes) {
        const float *p = x + k * wide + size_t(i) * many + j, *u = w + k * stretch + j;
#pragma GCC unroll 16
        for (int l = 0; l < P * F; l++) acc[l] += *(const V *)(p + size_t(l / F) * many) * *(const V *)(u + size_t(l % F) * K * stretch);
      }
    V sums = totals(acc) + b;
    if (few == F) *(V *)(y + size_t(i) * F) = sums;
    else
      for (int l = 0; l < P * F; l++) y[size_t(i + l / F) * few + l % F] = sums[l];
  }
}
// many_rows makes the row's channels, at most a vector of them at a time.
template <int K> static void many_rows(int width, size_t wide, int many, int stretch, int few, const float *x, const float *w, const float *bias, float *y) {
  for (int o = 0; o < few;) {
    auto row = [&](auto F) {
      many_row<K, F.value>(width, wide, many, stretch, few, x, w + size_t(o) * K * stretch, bias + o, y + o);
      o += F;
    };
    switch (few - o) {
    case 1: row(Const<1>()); break;
    case 2: row(Const<2>()); break;
    case 3: row(Const<3>()); break;
    case 8: row(Const<8>()); break;
    default: row(Const<4>()); // of 4 or 12
    }
  }
}

template <class T> void many_to_few(const Few &g, const void *many_, const float *w, const float *bias, void *few) {
  const Shape &f = g.few, &m = g.many;
  int stretch = (g.kernel * m.c + lanes - 1) / lanes * lanes;
  // A last vector of pixels reads past its row, and past the last row.
  size_t size = bordered(m, g.kernel) + size_t(lanes) * m.c, wide = size_t(m.w + g.kernel - 1) * m.c;
  float *buf = g.scratch, *y = buf + size;
  zero(buf, size);
  for (int n = 0; n < m.n; n++) {
    border(m, g.kernel, n, (const T *)many_, buf);
    for (int h = 0; h < m.h; h++) {
      bykernel(g.kernel, 1, [&](auto K, auto) { many_rows<K.value>(m.w, wide, m.c, stretch, f.c, buf + h * wide, w, bias, y); });
      size_t row = size_t(m.w) * f.c, at = (size_t(n) * m.h + h) * row;
      if (g.wide) EACH(i, row) ((float *)few)[at + i] = y[i];
      else EACH(i, row) ((T *)few)[at + i] = y[i];
    }
  }
}

// Sums over one row of pixels for R rows of G taps each and one vector of the
// many channels.
template <class V, int R, int G> static inline void grad_taps(int width, int f, size_t wide, int many, const float *x, const float *y, float *dw) {
  V acc[R * G];
  for (int t = 0; t < R * G; t++) acc[t] = load<V>(dw + t * many);
  for (int i = 0; i < width; i++) {
    V u = load<V>(y + size_t(i) * many);
    for (int r = 0; r < R; r++)
      for (int t = 0; t < G; t++) acc[r * G + t] += x[r * wide + i * f + t] * u;
  }
  for (int t = 0; t < R * G; t++) keep(dw + t * many, acc[t]);
}
template <int K, int F> KERNEL void grad_row(int width, size_t wide, int channels, int many, const float *x, const float *y, float *dw) {
  // Taps of a row of the kernel lie side by side; at most 21 are summed at once,
  // and of more channels those of one tap, which leaves the sums in registers.
  constexpr int R = K * K * F <= 9 ? K : 1, row = K * F, G = F < 4 ? row : F;
  each_vector(channels, [=](auto L, int c) {
    typedef typename Lanes<L.value>::F V;
    for (int r = 0; r < K; r += R)
      for (int t = 0; t < row; t += G) grad_taps<V, R, G>(width, F, wide, many, x + r * wide + t, y + c, dw + (size_t(r) * row + t) * many + c);
  });
}

// Sums over one image are float32, over the batch float64 in pairs: dw is the
// running total, the image's own sum stands in scratch.
template <class T> void few_grad(const Few &g, const void *few_, const void *many_, float *dw, float *many_sum, float *few_sum) {
  const Shape &f = g.few, &m = g.many;
  int padded = (m.c + lanes - 1) / lanes * lanes, taps = g.kernel * g.kernel * f.c;
  size_t size = bordered(f, g.kernel), wide = size_t(f.w + g.kernel - 1) * f.c;
  float *buf = g.scratch, *one = buf + size, *row = one + size_t(taps) * padded, *sums = row + size_t(m.w) * padded;
  zero(buf, size), zero(dw, size_t(taps) * padded), zero(sums, padded), zero(row, size_t(m.w) * padded);
  double few_total[12] = {};
  for (int n = 0; n < m.n; n++) {
    border(f, g.kernel, n, (const T *)few_, buf);
    zero(one, size_t(taps) * padded);
    for (int h = 0; h < m.h; h++) {
      const T *p = (const T *)many_ + (size_t(n) * m.h + h) * m.w * m.c;
      const float *y = row;
      if (padded == m.c) y = in(p, size_t(m.w) * m.c, row);
      else
        for (int i = 0; i < m.w; i++) EACH(c, size_t(m.c)) row[size_t(i) * padded + c] = p[size_t(i) * m.c + c];
      bykernel(g.kernel, f.c, [&](auto K, auto C) { grad_row<K.value, C.value>(m.w, wide, m.c, padded, buf + h * wide, y, one); });
      for (int c = 0; many_sum && c < padded; c += lanes) {
        V s = *(V *)(sums + c);
        for (int i = 0; i < m.w; i++) s += *(const V *)(y + size_t(i) * padded + c);
        *(V *)(sums + c) = s;
      }
    }
    EACH(i, size_t(taps) * padded) dw[i] += one[i];
    if (!few_sum) continue;
    const T *p = (const T *)few_ + size_t(n) * f.h * f.w * f.c;
    float s[12] = {};
    for (int i = 0; i < f.h * f.w; i++)
      for (int c = 0; c < f.c; c++) s[c] += float(p[i * f.c + c]);
    for (int c = 0; c < f.c; c++) few_total[c] += s[c];
  }
  if (many_sum) EACH(c, size_t(m.c)) many_sum[c] = sums[c];
  if (few_sum) for (int c = 0; c < f.c; c++) few_sum[c] = few_total[c];
}
