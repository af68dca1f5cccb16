// Pooling and upsampling by two, a pair of rows at a time. Along an odd side the
// first window holds one row (column) only; the others hold two.

// Window holds the rows of one output row of a pooling, or of one input row of
// an upsampling: `second` is always there, `first` not at the start of an odd side.
struct Window {
  int first, second;
  Window(int i, int side) : first(2 * i - (side & 1)), second(first + 1) {}
  bool single() const { return first < 0; }
};

// pool_pixel takes the maximum of four pixels, the first of equals.
template <class N> [[gnu::noinline]] static void pool_pixel(N c, const float *__restrict p0, const float *__restrict p1, const float *__restrict p2, const float *__restrict p3, float *__restrict y, uint8_t *__restrict index) {
  for (int k = 0; k < c; k++) {
    float v0 = p0[k], v1 = p1[k], v2 = p2[k], v3 = p3[k];
    float top = v1 > v0 ? v1 : v0, bottom = v3 > v2 ? v3 : v2;
    uint8_t i = v1 > v0 ? 1 : 0, j = v3 > v2 ? 3 : 2;
    index[k] = bottom > top ? j : i;
    y[k] = bottom > top ? bottom : top;
  }
}

// One output row from two input rows (the same row twice where the window is
// single: the first of equals then has index 0 or 1).
KERNEL void pool_row(int w, int ow, int c_, const float *a, const float *b, float *y, uint8_t *index) {
  bychannels(c_, [=](auto c) {
    for (int o = 0; o < ow; o++) {
      Window u(o, w);
      size_t r = size_t(u.second) * c, l = u.single() ? r : r - c;
      pool_pixel(c, a + l, a + r, b + l, b + r, y + size_t(o) * c, index + size_t(o) * c);
    }
  });
}

template <class N> [[gnu::noinline]] static void scatter_pixel(N c, const float *__restrict d, const uint8_t *__restrict index, float *__restrict q0, float *__restrict q1, float *__restrict q2, float *__restrict q3) {
  for (int k = 0; k < c; k++) {
    float g = d[k];
    int i = index[k];
    q0[k] = i == 0 ? g : 0, q1[k] = i == 1 ? g : 0, q2[k] = i == 2 ? g : 0, q3[k] = i == 3 ? g : 0;
  }
}

// The way back: gradients d of one output row to rows a and b. bin takes what
// falls outside, c values at a time; b is null where the window is single.
KERNEL void scatter_row(int w, int ow, int c_, const float *d, const uint8_t *index, float *a, float *b, float *bin) {
  bychannels(c_, [=](auto c) {
    for (int o = 0; o < ow; o++) {
      Window u(o, w);
      size_t r = size_t(u.second) * c, l = r - c;
      // A single column is "left" (index 0 or 2) and lies at r.
      float *al = u.single() ? a + r : a + l, *ar = u.single() ? bin : a + r;
      float *bl = !b ? bin + c : u.single() ? b + r : b + l, *br = !b ? bin + 2 * c : u.single() ? bin + c : b + r;
      scatter_pixel(c, d + size_t(o) * c, index + size_t(o) * c, al, ar, bl, br);
    }
  });
}

template <class N> [[gnu::noinline]] static void pool_products_pixel(N c, const float *__restrict d, const uint8_t *__restrict index, const float *__restrict p0, const float *__restrict p1, const float *__restrict p2, const float *__restrict p3, const float *__restrict mean, float *__restrict a, float *__restrict b) {
  for (int k = 0; k < c; k++) {
    int i = index[k];
    float lo = i & 1 ? p1[k] : p0[k], hi = i & 1 ? p3[k] : p2[k], x = i & 2 ? hi : lo;
    a[k] += d[k], b[k] += d[k] * (x - mean[k]);
  }
}

// Sums for a norm before the pooling: x is its input, rows a and b of it.
KERNEL void pool_products(int w, int ow, int c_, const float *d, const uint8_t *index, const float *a, const float *b, const float *mean, float *sa, float *sb) {
  bychannels(c_, [=](auto c) {
    for (int o = 0; o < ow; o++) {
      Window u(o, w);
      size_t r = size_t(u.second) * c, l = u.single() ? r : r - c;
      pool_products_pixel(c, d + size_t(o) * c, index + size_t(o) * c, a + l, a + r, b + l, b + r, mean, sa, sb);
    }
  });
}

// One input row to one output row, every pixel to its one or two columns.
KERNEL void spread_row(int iw, int w, int c_, const float *x, float *y) {
  bychannels(c_, [=](auto c) {
    for (int i = 0; i < iw; i++) {
      Window u(i, w);
      const float *p = x + size_t(i) * c;
      float *r = y + size_t(u.second) * c, *l = u.single() ? r : r - c;
      __builtin_memcpy(r, p, c * sizeof(float));
      __builtin_memmove(l, p, c * sizeof(float));
    }
  });
}

template <class N> [[gnu::noinline]] static void add_pixels(N c, const float *__restrict a, const float *__restrict b, float *__restrict y) {
  for (int k = 0; k < c; k++) y[k] = a[k] + b[k];
}

// The way back: sums over the window; b is null where it is single, both is
// scratch for a row.
KERNEL void gather_row(int iw, int w, int c_, const float *a, const float *b, float *both, float *x) {
  const float *v = a;
  if (b) {
    EACH(i, size_t(w) * c_) both[i] = a[i] + b[i];
    v = both;
  }
  bychannels(c_, [=](auto c) {
    int odd = w & 1;
    if (odd) __builtin_memcpy(x, v, c * sizeof(float));
    for (int i = odd; i < iw; i++) {
      const float *l = v + size_t(Window(i, w).first) * c, *r = l + c;
      add_pixels(c, l, r, x + size_t(i) * c);
    }
  });
}

// Every second pixel of an upsampled row: the row that it came from.
KERNEL void unspread_row(int iw, int w, int c_, const float *y, float *x) {
  bychannels(c_, [=](auto c) {
    for (int i = 0; i < iw; i++)
      __builtin_memcpy(x + size_t(i) * c, y + size_t(Window(i, w).second) * c, c * sizeof(float));
  });
}
