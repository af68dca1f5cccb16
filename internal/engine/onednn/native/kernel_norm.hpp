// Sums over all pixels for every channel, and what batch norm makes of them.

struct Sums { // of one period: float within a stretch, double across
  float *a, *b;
  double *sa, *sb;
  size_t period, filled = 0;
  int c;
  Sums(int channels, float *scratch) : period(period_of(channels)), c(channels) { // scratch is aligned for doubles
    a = scratch, b = a + period;
    sa = (double *)(b + period), sb = sa + c;
    zero(a, 2 * period);
    for (int i = 0; i < 2 * c; i++) sa[i] = 0;
  }
  void flush() {
    for (size_t i = 0; i < period; i += c)
      for (int k = 0; k < c; k++) sa[k] += a[i + k], sb[k] += b[i + k];
    zero(a, 2 * period);
    filled = 0;
  }
  // room for `rows` more additions to each value: no float sum gets longer than 64.
  void room(size_t rows) {
    if (filled + rows > 64) flush();
    filled += rows;
  }
  // over adds so many values, four periods at a time by four(at), the rest by one(at, values).
  template <class Four, class One> void over(size_t total, Four four, One one) {
    size_t o = 0;
    for (; o + 4 * period <= total; o += 4 * period) {
      room(4);
      four(o);
    }
    for (; o < total; o += period) {
      room(1);
      one(o, least(period, total - o));
    }
    flush();
  }
  float *end() const { return (float *)(sb + c); }
};

template <class T> KERNEL void add_moments(size_t n, const T *__restrict x, const float *__restrict k, float *__restrict a, float *__restrict b) {
  for (size_t i = 0; i < n; i++) {
    float v = x[i] - k[i];
    a[i] += v, b[i] += v * v;
  }
}
template <class T> KERNEL void add_moments4(size_t n, const T *__restrict x, const float *__restrict k, float *__restrict a, float *__restrict b) {
  for (size_t i = 0; i < n; i++) {
    float v = x[i] - k[i], w = x[i + n] - k[i], s = x[i + 2 * n] - k[i], t = x[i + 3 * n] - k[i];
    a[i] += (v + w) + (s + t), b[i] += (v * v + w * w) + (s * s + t * t);
  }
}

// The first pixel is taken off every value, so that a mean far from zero doesn't
// swallow the variance.
template <class T> void moments(size_t rows, int c, const void *x_, float *mean, float *variance, float *scratch) {
  const T *x = (const T *)x_;
  size_t p = period_of(c), total = rows * c;
  Sums s(c, scratch);
  float *first = s.end();
  EACH(i, p) first[i] = x[i % c];
  s.over(total, [&](size_t o) { add_moments4(p, x + o, first, s.a, s.b); }, [&](size_t o, size_t n) { add_moments(n, x + o, first, s.a, s.b); });
  for (int k = 0; k < c; k++) {
    double m = s.sa[k] / rows, v = s.sb[k] / rows - m * m;
    mean[k] = first[k] + m;
    variance[k] = v > 0 ? v : 0;
  }
}

template <class T> KERNEL void add_values(size_t n, const T *__restrict x, float *__restrict a) {
  for (size_t i = 0; i < n; i++) a[i] += x[i];
}
template <class T> KERNEL void add_values4(size_t n, const T *__restrict x, float *__restrict a) {
  for (size_t i = 0; i < n; i++) a[i] += (x[i] + x[i + n]) + (x[i + 2 * n] + x[i + 3 * n]);
}

template <class T> void sums(size_t rows, int c, const void *x_, float *sum, float *scratch) {
  const T *x = (const T *)x_;
  Sums s(c, scratch);
  s.over(rows * c, [&](size_t o) { add_values4(s.period, x + o, s.a); }, [&](size_t o, size_t n) { add_values(n, x + o, s.a); });
  for (int k = 0; k < c; k++) sum[k] = float(s.sa[k]);
}

// a += dz, b += dz·(x − mean)
template <class T> KERNEL void add_products(size_t n, const float *__restrict dz, const T *__restrict x, const float *__restrict mean, float *__restrict a, float *__restrict b) {
  for (size_t i = 0; i < n; i++) {
    a[i] += dz[i];
    b[i] += dz[i] * (x[i] - mean[i]);
  }
}

// dx = A·dz + B·x + K, times the slope of the activation whose output x is.
template <class D, class T> KERNEL void norm_grad(Act before, size_t n, const D *dz, const T *x, const float *A, const float *B, const float *K, T *dx) {
  byact(before, [=](auto P) {
    EACH(i, n) {
      float v = x[i];
      dx[i] = (A[i] * float(dz[i]) + B[i] * v + K[i]) * slope1<P.value>(v);
    }
  });
}
