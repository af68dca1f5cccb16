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
template <class N> static inline void pool_pixel(N c, const float *p0, const float *p1, const float *p2, const float *p3, float *y, uint8_t *index) {
  each_lanes(c, [=](auto L, int k) {
    typedef Lanes<L.value> T;
    typedef typename T::F F;
    F v0 = load<F>(p0 + k), v1 = load<F>(p1 + k), v2 = load<F>(p2 + k), v3 = load<F>(p3 + k);
    typename T::I right = v1 > v0, lower = v3 > v2; // −1 where true
    F top = right ? v1 : v0, bottom = lower ? v3 : v2;
    typename T::I down = bottom > top;
    keep(y + k, down ? bottom : top);
    keep(index + k, __builtin_convertvector(down ? 2 - lower : -right, typename T::B));
  });
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

template <int L> static inline typename Lanes<L>::I places(const uint8_t *index) {
  return __builtin_convertvector(load<typename Lanes<L>::B>(index), typename Lanes<L>::I);
}

template <class N, class T> static inline void scatter_pixel(N c, const float *d, const uint8_t *index, T *q0, T *q1, T *q2, T *q3) {
  each_lanes(c, [=](auto L, int k) {
    typename Lanes<L.value>::F g = load<decltype(g)>(d + k), none = {};
    auto i = places<L.value>(index + k);
    keep_floats<L.value>(q0 + k, i == 0 ? g : none), keep_floats<L.value>(q1 + k, i == 1 ? g : none);
    keep_floats<L.value>(q2 + k, i == 2 ? g : none), keep_floats<L.value>(q3 + k, i == 3 ? g : none);
  });
}

// The way back: gradients d of one output row to rows a and b. bin takes what
// falls outside, c values at a time; b is null where the window is single.
template <class T> KERNEL void scatter_row(int w, int ow, int c_, const float *d, const uint8_t *index, T *a, T *b, T *bin) {
  bychannels(c_, [=](auto c) {
    for (int o = 0; o < ow; o++) {
      Window u(o, w);
      size_t r = size_t(u.second) * c, l = r - c;
      // A single column is "left" (index 0 or 2) and lies at r.
      T *al = u.single() ? a + r : a + l, *ar = u.single() ? bin : a + r;
      T *bl = !b ? bin + c : u.single() ? b + r : b + l, *br = !b ? bin + 2 * c : u.single() ? bin + c : b + r;
      scatter_pixel(c, d + size_t(o) * c, index + size_t(o) * c, al, ar, bl, br);
    }
  });
}

template <class N, class T> static inline void pool_products_pixel(N c, const float *d, const uint8_t *index, const T *p0, const T *p1, const T *p2, const T *p3, const float *mean, float *a, float *b) {
  each_lanes(c, [=](auto L, int k) {
    typedef typename Lanes<L.value>::F F;
    auto i = places<L.value>(index + k);
    auto right = (i & 1) != 0, down = (i & 2) != 0;
    F v0 = floats<L.value>(p0 + k), v1 = floats<L.value>(p1 + k), v2 = floats<L.value>(p2 + k), v3 = floats<L.value>(p3 + k);
    F top = right ? v1 : v0, bottom = right ? v3 : v2, x = down ? bottom : top, g = load<F>(d + k);
    keep(a + k, load<F>(a + k) + g);
    keep(b + k, load<F>(b + k) + g * (x - load<F>(mean + k)));
  });
}

// Sums for a norm before the pooling: x is its input, rows a and b of it.
template <class T> KERNEL void pool_products(int w, int ow, int c_, const float *d, const uint8_t *index, const T *a, const T *b, const float *mean, float *sa, float *sb) {
  bychannels(c_, [=](auto c) {
    for (int o = 0; o < ow; o++) {
      Window u(o, w);
      size_t r = size_t(u.second) * c, l = u.single() ? r : r - c;
      pool_products_pixel(c, d + size_t(o) * c, index + size_t(o) * c, a + l, a + r, b + l, b + r, mean, sa, sb);
    }
  });
}

// One input row to one output row, every pixel to its one or two columns.
template <class T> KERNEL void spread_row(int iw, int w, int c_, const T *x, T *y) {
  bychannels(c_, [=](auto c) {
    for (int i = 0; i < iw; i++) {
      Window u(i, w);
      const T *p = x + size_t(i) * c;
      T *r = y + size_t(u.second) * c, *l = u.single() ? r : r - c;
      __builtin_memcpy(r, p, c * sizeof(T));
      __builtin_memmove(l, p, c * sizeof(T));
    }
  });
}

template <class N> static inline void add_pixels(N c, const float *a, const float *b, float *y) {
  each_lanes(c, [=](auto L, int k) {
    typedef typename Lanes<L.value>::F F;
    keep(y + k, load<F>(a + k) + load<F>(b + k));
  });
}

// The way back: sums over the window; b is null where it is single, both is
// scratch for a row.
template <class T> KERNEL void gather_row(int iw, int w, int c_, const T *a, const T *b, float *both, float *x) {
  const float *v = both;
  if (b) EACH(i, size_t(w) * c_) both[i] = float(a[i]) + float(b[i]);
  else v = in(a, size_t(w) * c_, both);
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
template <class T> KERNEL void unspread_row(int iw, int w, int c_, const T *y, T *x) {
  bychannels(c_, [=](auto c) {
    for (int i = 0; i < iw; i++)
      __builtin_memcpy(x + size_t(i) * c, y + size_t(Window(i, w).second) * c, c * sizeof(T));
  });
}
