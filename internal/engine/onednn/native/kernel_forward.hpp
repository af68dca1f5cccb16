// Forward: norm, activation and resampling in one pass over memory.

// A row of `n` values from x, through scale, shift and activation where there
// are any; s and h repeat over period p. Gives x itself where nothing is to do.
template <class T> static const float *point_row(size_t n, const T *x, const float *s, const float *h, size_t p, Act act, float *buf, float *raw) {
  if (s)
    for (size_t o = 0; o < n; o += p) affine(act, least(p, n - o), x + o, s, h, buf + o);
  else if (act) activate(act, n, x, buf);
  else return in(x, n, raw);
  return buf;
}

template <class T> static void forward_keep(const Forward &f, const float *s, const float *h, size_t p) {
  const T *x = (const T *)f.x;
  T *y = (T *)f.y;
  size_t total = f.in.values();
  for (size_t o = 0; o < total; o += p) {
    size_t n = least(p, total - o);
    if (s) affine(f.act, n, x + o, s, h, y + o);
    else activate(f.act, n, x + o, y + o);
  }
}

// The maximum before a monotone activation is the maximum after it, so the
// activation runs on a quarter of the values; SiLU is not monotone.
template <class T> static void forward_pool(const Forward &f, const float *s, const float *h, size_t p, float *tmp) {
  int c = f.in.c;
  size_t row = size_t(f.in.w) * c, orow = size_t(f.out.w) * c;
  Act early = f.act == act_silu ? f.act : act_none, late = f.act == act_silu ? act_none : f.act;
  float *buf[2] = {tmp, tmp + row}, *raw[2] = {tmp + 2 * row, tmp + 3 * row};
  for (int n = 0; n < f.in.n; n++)
    for (int o = 0; o < f.out.h; o++) {
      Window u(o, f.in.h);
      const T *x = (const T *)f.x + (size_t(n) * f.in.h + u.second) * row;
      const float *b = point_row(row, x, s, h, p, early, buf[1], raw[1]);
      const float *a = u.single() ? b : point_row(row, x - row, s, h, p, early, buf[0], raw[0]);
      size_t at = (size_t(n) * f.out.h + o) * orow;
      T *y = (T *)f.y + at;
      float *to = out(y, tmp + 4 * row);
      pool_row(f.in.w, f.out.w, c, a, b, to, f.index + at);
      if (late) activate(late, orow, to, y);
      else store(y, orow, to);
    }
}

template <class T> static void forward_upsample(const Forward &f, const float *s, const float *h, size_t p, float *tmp) {
  int c = f.in.c;
  size_t row = size_t(f.in.w) * c, orow = size_t(f.out.w) * c;
  for (int n = 0; n < f.in.n; n++)
    for (int i = 0; i < f.in.h; i++) {
      Window u(i, f.out.h);
      const T *x = (const T *)f.x + (size_t(n) * f.in.h + i) * row;
      const float *v = point_row(row, x, s, h, p, f.act, tmp, tmp + row);
      T *y = (T *)f.y + (size_t(n) * f.out.h + u.second) * orow;
      T *low = (T *)(tmp + 2 * row);
      if constexpr (sizeof(T) == 4) spread_row(f.in.w, f.out.w, c, v, y);
      else {
        store(low, row, v);
        spread_row(f.in.w, f.out.w, c, low, y);
      }
      if (!u.single()) __builtin_memcpy(y - orow, y, orow * sizeof(T));
    }
}

template <class T> void forward(const Forward &f) {
  size_t p = period_of(f.in.c);
  float *s = nullptr, *h = nullptr, *tmp = f.scratch;
  if (f.scale) {
    s = tmp, h = s + p, tmp = h + p;
    repeat(f.scale, f.in.c, p, s), repeat(f.shift, f.in.c, p, h);
  }
  if (f.resample == pool) forward_pool<T>(f, s, h, p, tmp);
  else if (f.resample == upsample) forward_upsample<T>(f, s, h, p, tmp);
  else forward_keep<T>(f, s, h, p);
}
