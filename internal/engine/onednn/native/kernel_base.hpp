// What all kernel files share. Included inside the namespace of one instruction
// set, so nothing here may define a symbol that another could collide with.

// bfloat16 in memory; all arithmetic is float32.
struct bf16 {
  uint16_t bits;
  bf16() = default;
  bf16(float f) {
    uint32_t u = __builtin_bit_cast(uint32_t, f);
    bits = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  }
  operator float() const { return __builtin_bit_cast(float, uint32_t(bits) << 16); }
};

// Loops over arrays that are the same or do not overlap at all.
#define EACH(i, n) _Pragma("GCC ivdep") for (size_t i = 0; i < (n); i++)
// gcc 12 heeds __restrict on the parameters of functions that it does not inline.
#define KERNEL [[gnu::noinline]] static

// in gives p as floats, converted into buf where they are not; out is where
// floats for p are written before store brings them there.
template <class T> const float *in(const T *p, size_t n, float *buf) {
  if constexpr (sizeof(T) == 4) return p;
  else {
    EACH(i, n) buf[i] = p[i];
    return buf;
  }
}
template <class T> float *out(T *p, float *buf) {
  if constexpr (sizeof(T) == 4) return p;
  else return buf;
}
template <class T> void store(T *p, size_t n, const float *buf) {
  if constexpr (sizeof(T) != 4) { EACH(i, n) p[i] = buf[i]; }
}

static inline size_t least(size_t a, size_t b) { return a < b ? a : b; }
static inline void zero(float *p, size_t n) { EACH(i, n) p[i] = 0; }

// e^x, branch-free so that loops vectorise; relative error below 2e-7.
static inline float exp_(float x) {
  x = x < -87.f ? -87.f : x > 88.f ? 88.f : x;
  float k = x * 1.44269504f;
  int n = int(k + (k < 0 ? -.5f : .5f));
  float r = x - n * .693359375f + n * 2.12194440e-4f;
  float p = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r + .5f;
  return (p * r * r + r + 1.f) * __builtin_bit_cast(float, (n + 127) << 23);
}
// log(1+e) for 0 ≤ e ≤ 1, by the series of artanh(e/(2+e)).
static inline float log1p_(float e) {
  float s = e / (2 + e), q = s * s;
  return 2 * s * (1 + q * (1 / 3.f + q * (1 / 5.f + q * (1 / 7.f + q * (1 / 9.f + q * (1 / 11.f + q / 13.f))))));
}
static inline float sigmoid_(float z) {
  float u = exp_(z < 0 ? z : -z), s = 1 / (1 + u);
  return z < 0 ? u * s : s;
}

// Loops over the channels of one pixel are short: the counts of the search space
// get loops of constant length.
template <int N> struct Const {
  static constexpr int value = N;
  constexpr operator int() const { return N; }
};
template <class F> void bychannels(int c, F f) {
  switch (c) {
  case 4: return f(Const<4>());
  case 8: return f(Const<8>());
  case 16: return f(Const<16>());
  case 32: return f(Const<32>());
  case 64: return f(Const<64>());
  case 128: return f(Const<128>());
  default: f(c);
  }
}

// Vectors of L values.
#ifdef MONCAE_AVX512
constexpr int lanes = 16;
#else
constexpr int lanes = 8;
#endif
template <int L> struct Lanes {
  typedef float F __attribute__((vector_size(4 * L)));
  typedef int I __attribute__((vector_size(4 * L)));
  typedef uint8_t B __attribute__((vector_size(L)));
  typedef uint16_t H __attribute__((vector_size(2 * L)));
  typedef uint32_t U __attribute__((vector_size(4 * L)));
};
template <class V, class T> static inline V load(const T *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T> static inline void keep(T *p, const V &v) { __builtin_memcpy(p, &v, sizeof v); }
// floats and keep_floats are the same for activations of either type.
template <int L> static inline typename Lanes<L>::F floats(const float *p) { return load<typename Lanes<L>::F>(p); }
template <int L> static inline typename Lanes<L>::F floats(const bf16 *p) {
  typedef typename Lanes<L>::U U;
  return (typename Lanes<L>::F)(__builtin_convertvector(load<typename Lanes<L>::H>(p), U) << 16);
}
template <int L> static inline void keep_floats(float *p, const typename Lanes<L>::F &v) { keep(p, v); }
template <int L> static inline void keep_floats(bf16 *p, const typename Lanes<L>::F &v) {
  typedef typename Lanes<L>::U U;
  U u = (U)v;
  keep(p, __builtin_convertvector((u + 0x7fff + ((u >> 16) & 1)) >> 16, typename Lanes<L>::H));
}

// each_lanes calls f(L, k) for stretches of L values from k on that make up c:
// what depends on the data must be chosen without branches, and gcc 12 makes
// branches of choices between loads.
template <class N, class F> [[gnu::always_inline]] static inline void each_lanes(N c, F f) {
  int k = 0;
  for (; k + lanes <= c; k += lanes) f(Const<lanes>(), k);
  if constexpr (lanes > 8)
    if (k + 8 <= c) f(Const<8>(), k), k += 8;
  if (k + 4 <= c) f(Const<4>(), k), k += 4;
  for (; k < c; k++) f(Const<1>(), k);
}

// Per-channel vectors are repeated to a period of whole pixels, so that loops
// over flat memory are long whatever the channel count.
static inline size_t period_of(int c) { return size_t(c) * ((255 + c) / c); }
static inline void repeat(const float *v, int c, size_t p, float *o) {
  for (size_t i = 0; i < p; i += c) EACH(k, size_t(c)) o[i + k] = v[k];
}
