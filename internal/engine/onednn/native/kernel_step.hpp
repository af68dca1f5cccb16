// What happens once a step: gathering the batch, dropout, sums of two tensors,
// the optimiser.

// One image, NCHW bytes, to place `at` of the batch: NHWC bytes (the loss's
// target; may be null) and values in [0, 1].
template <class T> void images(const Shape &s, const uint8_t *nchw, uint8_t *bytes, void *x, size_t at) {
  size_t hw = size_t(s.h) * s.w, n = hw * s.c;
  T *to = (T *)x + at * n;
  uint8_t *keep = bytes ? bytes + at * n : nullptr;
  if (s.c == 1) {
    EACH(i, n) to[i] = nchw[i] / 255.f;
    if (keep) __builtin_memcpy(keep, nchw, n);
    return;
  }
  for (size_t i = 0; i < hw; i++)
    for (int c = 0; c < s.c; c++) {
      uint8_t v = nchw[c * hw + i];
      to[i * s.c + c] = v / 255.f;
      if (keep) keep[i * s.c + c] = v;
    }
}

template <class T> void features(const Shape &s, const float *nchw, void *x, size_t at) {
  size_t hw = size_t(s.h) * s.w;
  T *to = (T *)x + at * hw * s.c;
  for (size_t i = 0; i < hw; i++)
    for (int c = 0; c < s.c; c++) to[i * s.c + c] = nchw[c * hw + i];
}

template <class T> void add(size_t n, const void *a_, const void *b_, void *y_) {
  const T *a = (const T *)a_, *b = (const T *)b_;
  T *y = (T *)y_;
  EACH(i, n) y[i] = float(a[i]) + float(b[i]);
}

template <class T> void widen(size_t n, const void *x_, float *y) {
  const T *x = (const T *)x_;
  EACH(i, n) y[i] = x[i];
}

// Philox4x32-10 (Salmon et al. 2011) as internal/philox defines dropout by it:
// value i in NCHW order takes word i%4 of block (i/4, layer, step). Sixteen
// blocks at a time, so that the rounds vectorise.
#ifdef MONCAE_AVX2
// gcc takes a product apart and packs its halves: words in lanes of 64 bits,
// whose product is one instruction, take a third of the time.
KERNEL void philox(const Philox &p, uint64_t block, uint32_t *__restrict words) { // 64 words
  typedef uint64_t Q __attribute__((vector_size(32)));
  typedef int I __attribute__((vector_size(32)));
  const Q low = Q{} + 0xFFFFFFFFu, m0 = Q{} + 0xD2511F53u, m1 = Q{} + 0xCD9E8D57u;
  for (int half = 0; half < 16; half += 8) { // eight blocks in registers
    Q a[2], b[2], c[2], d[2];
    for (int j = 0; j < 2; j++) {
      uint64_t at = block + half + 4 * j;
      a[j] = Q{at, at + 1, at + 2, at + 3} & low, b[j] = Q{} + p.layer, c[j] = Q{} + uint32_t(p.step), d[j] = Q{} + uint32_t(p.step >> 32);
    }
    uint32_t k0 = uint32_t(p.seed), k1 = uint32_t(p.seed >> 32);
    for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
      for (int j = 0; j < 2; j++) {
        Q u = (Q)__builtin_ia32_pmuludq256((I)a[j], (I)m0), v = (Q)__builtin_ia32_pmuludq256((I)c[j], (I)m1);
        a[j] = (v >> 32) ^ b[j] ^ k0, b[j] = v & low;
        c[j] = (u >> 32) ^ d[j] ^ k1, d[j] = u & low;
      }
    for (int j = 0; j < 2; j++)
      for (int i = 0; i < 4; i++) {
        uint32_t *w = words + 4 * (half + 4 * j + i);
        w[0] = a[j][i], w[1] = b[j][i], w[2] = c[j][i], w[3] = d[j][i];
      }
  }
}
#else
KERNEL void philox(const Philox &p, uint64_t block, uint32_t *__restrict words) { // 64 words
  uint32_t a[16], b[16], c[16], d[16], k0 = uint32_t(p.seed), k1 = uint32_t(p.seed >> 32);
  for (int i = 0; i < 16; i++) a[i] = uint32_t(block + i), b[i] = p.layer, c[i] = uint32_t(p.step), d[i] = uint32_t(p.step >> 32);
  for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (int i = 0; i < 16; i++) {
      uint64_t u = uint64_t(0xD2511F53u) * a[i], v = uint64_t(0xCD9E8D57u) * c[i];
      a[i] = uint32_t(v >> 32) ^ b[i] ^ k0, b[i] = uint32_t(v);
      c[i] = uint32_t(u >> 32) ^ d[i] ^ k1, d[i] = uint32_t(u);
    }
  for (int i = 0; i < 16; i++) words[4 * i] = a[i], words[4 * i + 1] = b[i], words[4 * i + 2] = c[i], words[4 * i + 3] = d[i];
}
#endif

// keep[i] is 1 where value first+i of the activation, in NCHW order, is kept.
static void keepers(const Philox &p, uint64_t first, size_t n, uint8_t *keep) {
  uint32_t words[64];
  for (uint64_t b = first / 64 * 64; b < first + n; b += 64) {
    philox(p, b / 4, words);
    uint8_t kept[64];
    for (int i = 0; i < 64; i++) kept[i] = float(words[i] >> 8) * (1.f / (1 << 24)) >= p.rate;
    size_t from = b < first ? first - b : 0, to = least(64, first + n - b);
    for (size_t i = from; i < to; i++) keep[b + i - first] = kept[i];
  }
}

template <class T> void dropout_grad(size_t n, float scale, const uint8_t *mask, const void *dy_, void *dx_) {
  const T *dy = (const T *)dy_;
  T *dx = (T *)dx_;
  EACH(i, n) dx[i] = float(dy[i]) * (mask[i] ? scale : 0);
}

// scratch holds one image's values as bytes; the mask is left in NHWC order.
template <class T> void dropout(const Shape &s, const Philox &p, const void *x, void *y, uint8_t *mask, uint8_t *scratch) {
  size_t hw = size_t(s.h) * s.w, n = hw * s.c;
  for (int b = 0; b < s.n; b++) {
    uint8_t *m = mask + b * n;
    keepers(p, b * n, n, scratch);
    for (size_t i = 0; i < hw; i++)
      for (int c = 0; c < s.c; c++) m[i * s.c + c] = scratch[c * hw + i];
  }
  dropout_grad<T>(s.values(), p.scale, mask, x, y);
}

// log u for 2⁻²⁴ ≤ u ≤ 1: of its mantissa by the series of artanh, 1/√2 to √2.
static inline float log_(float u) {
  uint32_t bits = __builtin_bit_cast(uint32_t, u);
  int e = int((bits + (0x3f800000 - 0x3f3504f3)) >> 23) - 127;
  float m = __builtin_bit_cast(float, bits - (uint32_t(e) << 23)), s = (m - 1) / (m + 1), q = s * s;
  return e * .693147181f + 2 * s * (1 + q * (1 / 3.f + q * (1 / 5.f + q * (1 / 7.f + q / 9.f))));
}
// sin and cos of 2πu for 0 ≤ u < 1, by their series from −π/4 to π/4.
static inline void sincos_(float u, float &sine, float &cosine) {
  int quarter = int(4 * u + .5f);
  float r = (4 * u - quarter) * 1.57079633f, q = r * r;
  float s = r * (1 + q * (-1 / 6.f + q * (1 / 120.f + q * (-1 / 5040.f + q / 362880)))), c = 1 + q * (-.5f + q * (1 / 24.f + q * (-1 / 720.f + q * (1 / 40320.f - q / 3628800))));
  float a = quarter & 1 ? c : s, b = quarter & 1 ? s : c;
  sine = quarter & 2 ? -a : a;
  cosine = (quarter + 1) & 2 ? -b : b;
}

// Normal numbers of standard deviation p.rate for 64 values from block on, as
// internal/philox makes them.
KERNEL void normals(const Philox &p, uint64_t block, float *__restrict y) {
  uint32_t words[64];
  philox(p, block, words);
  for (int i = 0; i < 64; i += 2) {
    float sine, cosine, r = p.rate * __builtin_sqrtf(-2 * log_(((words[i] >> 8) + 1) * (1.f / (1 << 24))));
    sincos_((words[i + 1] >> 8) * (1.f / (1 << 24)), sine, cosine);
    y[i] = r * cosine;
    y[i + 1] = r * sine;
  }
}

template <class T> void noise(const Shape &s, const Philox &p, const void *x_, void *y_, float *scratch) {
  size_t hw = size_t(s.h) * s.w, n = hw * s.c;
  for (int b = 0; b < s.n; b++) {
    const T *x = (const T *)x_ + b * n;
    T *y = (T *)y_ + b * n;
    float *add = scratch; // in NCHW order
    for (uint64_t first = b * n, at = first / 64 * 64; at < first + n; at += 64) {
      float buf[64];
      normals(p, at / 4, buf);
      size_t from = at < first ? first - at : 0, to = least(64, first + n - at);
      for (size_t i = from; i < to; i++) add[at + i - first] = buf[i];
    }
    for (size_t i = 0; i < hw; i++)
      for (int c = 0; c < s.c; c++) {
        float v = float(x[i * s.c + c]) + add[c * hw + i];
        y[i * s.c + c] = v < 0 ? 0 : v > 1 ? 1 : v;
      }
  }
}

// The optimisers, with Keras' constants; internal/engine states the formulas.
constexpr float tiny = 1e-7f;
// roots is √x, n values; gcc makes a call of its own for negative values, whatever
// the pragmas say, and so no vectors.
static inline void roots(size_t n, const float *x, float *y) {
  size_t i = 0;
#if defined(MONCAE_AVX512)
  typedef Lanes<16>::F F;
  for (; i + 16 <= n; i += 16) keep(y + i, (F)__builtin_ia32_sqrtps512_mask(load<F>(x + i), F(), -1, 4));
#elif defined(MONCAE_AVX2)
  typedef Lanes<8>::F F;
  for (; i + 8 <= n; i += 8) keep(y + i, (F)__builtin_ia32_sqrtps256(load<F>(x + i)));
#endif
  for (; i < n; i++) y[i] = __builtin_sqrtf(x[i]);
}

// in_blocks calls f(from, length) for blocks that roots' arrays hold.
constexpr size_t block = 256;
template <class F> [[gnu::always_inline]] static inline void in_blocks(size_t n, F f) {
  for (size_t o = 0; o < n; o += block) f(o, least(block, n - o));
}

KERNEL void adam(size_t n, float a, float *w_, const float *g_, float *m_, float *v_) {
  float root[block];
  in_blocks(n, [&](size_t o, size_t count) {
    float *w = w_ + o, *m = m_ + o, *v = v_ + o;
    const float *g = g_ + o;
    EACH(i, count) {
      m[i] += (g[i] - m[i]) * .1f;
      v[i] += (g[i] * g[i] - v[i]) * .001f;
    }
    roots(count, v, root);
    EACH(i, count) w[i] -= a * m[i] / (root[i] + tiny);
  });
}
// scaled descends by g/√(v + tiny), v being what square makes of it.
template <class F> [[gnu::always_inline]] static inline void scaled(size_t n, float rate, float *w_, const float *g_, float *v_, F square) {
  float root[block];
  in_blocks(n, [&](size_t o, size_t count) {
    float *w = w_ + o, *v = v_ + o;
    const float *g = g_ + o;
    EACH(i, count) v[i] = square(v[i], g[i]);
    EACH(i, count) root[i] = v[i] + tiny;
    roots(count, root, root);
    EACH(i, count) w[i] -= rate * g[i] / root[i];
  });
}
KERNEL void rmsprop(size_t n, float rate, float *w, const float *g, float *v) {
  scaled(n, rate, w, g, v, [](float v, float g) { return .9f * v + .1f * g * g; });
}
KERNEL void adagrad(size_t n, float rate, float *w, const float *g, float *v) {
  scaled(n, rate, w, g, v, [](float v, float g) { return v + g * g; });
}
KERNEL void adadelta(size_t n, float rate, float *w_, const float *g_, float *v_, float *u_) {
  float root[block];
  in_blocks(n, [&](size_t o, size_t count) {
    float *w = w_ + o, *v = v_ + o, *u = u_ + o;
    const float *g = g_ + o;
    EACH(i, count) {
      v[i] = .95f * v[i] + .05f * g[i] * g[i];
      root[i] = (u[i] + tiny) / (v[i] + tiny);
    }
    roots(count, root, root);
    EACH(i, count) {
      float d = root[i] * g[i];
      u[i] = .95f * u[i] + .05f * d * d;
      w[i] -= rate * d;
    }
  });
}
KERNEL void sgd(size_t n, float rate, float *__restrict w, const float *__restrict g, float *__restrict m) {
  for (size_t i = 0; i < n; i++) {
    m[i] = .9f * m[i] - rate * g[i];
    w[i] += m[i];
  }
}

static void update(const Update &u) {
  switch (u.kind) {
  case opt_adam: {
    double b1 = __builtin_pow(.9, double(u.step)), b2 = __builtin_pow(.999, double(u.step));
    return adam(u.n, float(u.rate * __builtin_sqrt(1 - b2) / (1 - b1)), u.w, u.g, u.s1, u.s2);
  }
  case opt_rmsprop: return rmsprop(u.n, u.rate, u.w, u.g, u.s1);
  case opt_adagrad: return adagrad(u.n, u.rate, u.w, u.g, u.s1);
  case opt_adadelta: return adadelta(u.n, u.rate, u.w, u.g, u.s1, u.s2);
  case opt_sgd: return sgd(u.n, u.rate, u.w, u.g, u.s1);
  }
}
