// Backward: the ways back through resampling, activation and norm. With a norm
// there are two passes, for its sums need all gradients: the first leaves dz,
// the gradient of the norm's output, in dx (or, behind a pooling, recomputes it),
// the second turns it into the input's.

struct NormRow { // the norm's coefficients, repeated over a period
  const float *A, *B, *K;
  size_t period;
};

// First pass without pooling: dz to dx, and the sums where s is not null.
template <class T> static void unpoint(const Backward &g, Sums *s, const float *mean, float *tmp) {
  int c = g.in.c;
  bool up = g.resample == upsample;
  size_t p = period_of(c), row = up ? size_t(g.in.w) * c : 4 * p, orow = size_t(g.out.w) * c;
  size_t total = g.in.values();
  float *buf = tmp, *both = buf + row;
  T *low = (T *)(both + orow);
  for (size_t o = 0, r = 0; o < total; o += row, r++) {
    size_t n = least(row, total - o);
    T *dx = (T *)g.dx + o;
    float *to = out(dx, buf);
    if (up) {
      Window u(int(r % g.in.h), g.out.h);
      size_t at = (r / g.in.h * g.out.h + u.second) * orow;
      const T *b = (const T *)g.dy + at;
      gather_row(g.in.w, g.out.w, c, b, u.single() ? nullptr : b - orow, both, to);
      if (g.act) {
        unspread_row(g.in.w, g.out.w, c, (const T *)g.y + at, low);
        slope(g.act, n, low, to, to);
      }
    } else {
      const T *d = (const T *)g.dy + o;
      if (g.act) slope(g.act, n, (const T *)(g.act == act_silu ? g.x : g.y) + o, d, to);
      else if ((const void *)d != to) EACH(i, n) to[i] = d[i];
    }
    store(dx, n, to);
    if (!s) continue;
    const T *x = (const T *)g.x + o;
    for (size_t k = 0; k < n; k += p) {
      s->room(1);
      add_products(least(p, n - k), to + k, x + k, mean, s->a, s->b);
    }
  }
}

// dz of one pooled row, in tmp unless it is dy itself.
template <class T> static const float *pooled_row(const Backward &g, size_t at, size_t n, float *tmp) {
  const T *d = (const T *)g.dy + at;
  if (!g.act) return in(d, n, tmp);
  slope(g.act, n, (const T *)g.y + at, d, tmp);
  return tmp;
}

template <class T> static void pool_sums(const Backward &g, Sums &s, float *tmp) {
  size_t row = size_t(g.in.w) * g.in.c, orow = size_t(g.out.w) * g.out.c;
  for (size_t r = 0; r < size_t(g.out.n) * g.out.h; r++) {
    Window u(int(r % g.out.h), g.in.h);
    const T *x = (const T *)g.x + (r / g.out.h * g.in.h + u.second) * row;
    s.room(least(64, g.out.w));
    pool_products(g.in.w, g.out.w, g.in.c, pooled_row<T>(g, r * orow, orow, tmp), g.index + r * orow, u.single() ? x : x - row, x, g.mean, s.a, s.b);
  }
}

// The last pass behind a pooling: gradients to their places, through the norm
// where there is one.
template <class T> static void unpool(const Backward &g, const NormRow *norm, float *tmp) {
  int c = g.in.c;
  size_t row = size_t(g.in.w) * c, orow = size_t(g.out.w) * c;
  float *rows[2] = {tmp + orow, tmp + orow + row}, *bin = rows[1] + row;
  for (size_t r = 0; r < size_t(g.out.n) * g.out.h; r++) {
    Window u(int(r % g.out.h), g.in.h);
    size_t at = (r / g.out.h * g.in.h + u.second) * row;
    T *b = (T *)g.dx + at, *a = u.single() ? nullptr : b - row;
    const float *d = pooled_row<T>(g, r * orow, orow, tmp);
    const uint8_t *index = g.index + r * orow;
    if (!norm) {
      scatter_row(g.in.w, g.out.w, c, d, index, a ? a : b, a ? b : nullptr, (T *)bin);
      continue;
    }
    scatter_row(g.in.w, g.out.w, c, d, index, rows[a ? 0 : 1], a ? rows[1] : nullptr, bin);
    for (int k = a ? 0 : 1; k < 2; k++) {
      T *to = k ? b : a;
      const T *x = (const T *)g.x + (to - (T *)g.dx);
      for (size_t o = 0; o < row; o += norm->period)
        norm_grad(g.before, least(norm->period, row - o), rows[k] + o, x + o, norm->A, norm->B, norm->K, to + o);
    }
  }
}

// The second pass without pooling, in place.
template <class T> static void norm_pass(const Backward &g, const NormRow &norm) {
  T *dx = (T *)g.dx;
  const T *x = (const T *)g.x;
  size_t p = norm.period, total = g.in.values();
  for (size_t o = 0; o < total; o += p) {
    norm_grad(g.before, least(p, total - o), dx + o, x + o, norm.A, norm.B, norm.K, dx + o);
  }
}

// dx = gamma/σ·(dz − mean(dz) − x̂·mean(dz·x̂)) = A·dz + B·x + K (Ioffe and
// Szegedy 2015); the sums are of dz and of dz·(x − mean).
static NormRow norm_row(const Backward &g, const Sums &s, float *&tmp) {
  int c = g.in.c;
  size_t p = s.period, m = g.in.pixels();
  float *A = tmp, *B = A + p, *K = B + p;
  tmp = K + p;
  for (int k = 0; k < c; k++) {
    float inv = g.inverse[k];
    g.dbeta[k] = s.sa[k], g.dgamma[k] = s.sb[k] * inv;
    A[k] = g.gamma[k] * inv;
    B[k] = -double(A[k]) * inv * g.dgamma[k] / m;
    K[k] = -double(A[k]) * g.dbeta[k] / m - double(B[k]) * g.mean[k];
  }
  for (size_t i = c; i < p; i++) A[i] = A[i - c], B[i] = B[i - c], K[i] = K[i - c];
  return {A, B, K, p};
}

template <class T> void backward(const Backward &g) {
  if (!g.mean) {
    if (g.resample == pool) unpool<T>(g, nullptr, g.scratch);
    else unpoint<T>(g, nullptr, nullptr, g.scratch);
    return;
  }
  Sums s(g.in.c, g.scratch);
  float *tmp = s.end();
  if (g.resample == pool) pool_sums<T>(g, s, tmp);
  else {
    repeat(g.mean, g.in.c, s.period, tmp);
    unpoint<T>(g, &s, tmp, tmp + s.period);
  }
  s.flush();
  NormRow norm = norm_row(g, s, tmp);
  if (g.resample == pool) unpool<T>(g, &norm, tmp);
  else norm_pass<T>(g, norm);
}
