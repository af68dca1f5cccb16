// Images and their four phases: the pixels with even or odd row and column, each
// a dense image of half the size.

template <class T, class F> static void each_phase_row(const Shape &s, F f) {
  size_t row = size_t(s.w) * s.c, phase = s.values();
  for (int n = 0; n < s.n; n++)
    for (int h = 0; h < 2 * s.h; h++) {
      size_t image = (size_t(n) * 2 * s.h + h) * 2 * row, in = (size_t(n) * s.h + h / 2) * row;
      f(image, (h & 1) * 2 * phase + in, ((h & 1) * 2 + 1) * phase + in);
    }
}

template <class T> void interleave(const Shape &s, const void *phases, void *image) {
  const T *from = (const T *)phases;
  T *to = (T *)image;
  bychannels(s.c, [=](auto c) {
    each_phase_row<T>(s, [=](size_t at, size_t even, size_t odd) {
      for (int i = 0; i < s.w; i++) {
        __builtin_memcpy(to + at + size_t(2 * i) * c, from + even + size_t(i) * c, c * sizeof(T));
        __builtin_memcpy(to + at + size_t(2 * i + 1) * c, from + odd + size_t(i) * c, c * sizeof(T));
      }
    });
  });
}

template <class T> void deinterleave(const Shape &s, const void *image, void *phases) {
  const T *from = (const T *)image;
  T *to = (T *)phases;
  bychannels(s.c, [=](auto c) {
    each_phase_row<T>(s, [=](size_t at, size_t even, size_t odd) {
      for (int i = 0; i < s.w; i++) {
        __builtin_memcpy(to + even + size_t(i) * c, from + at + size_t(2 * i) * c, c * sizeof(T));
        __builtin_memcpy(to + odd + size_t(i) * c, from + at + size_t(2 * i + 1) * c, c * sizeof(T));
      }
    });
  });
}

// each_pair calls f(place in the image, place among the phases, values) for the
// two pixels, side by side in both, that a row of the image has of a small pixel.
template <class F> static void each_pair(const Shape &s, F f) {
  auto rows = [&](auto c) {
    size_t row = 2 * size_t(s.w) * c;
    for (size_t r = 0; r < size_t(s.n) * s.h; r++)
      for (int parity = 0; parity < 2; parity++)
        for (int i = 0; i < s.w; i++) f((2 * r + parity) * row + 2 * i * c, 2 * r * row + (2 * i + parity) * 2 * c, 2 * c);
  };
  if (s.c == 1) rows(Const<1>());
  else rows(s.c);
}
template <class T> void spread_phases(const Shape &s, const void *phases, void *image) {
  each_pair(s, [=](size_t at, size_t from, size_t n) { __builtin_memcpy((T *)image + at, (const T *)phases + from, n * sizeof(T)); });
}
template <class T> void gather_phases(const Shape &s, const void *image, void *phases) {
  each_pair(s, [=](size_t at, size_t to, size_t n) { __builtin_memcpy((T *)phases + to, (const T *)image + at, n * sizeof(T)); });
}

template <class T> void sum4(size_t n, const void *parts, void *sum) {
  const T *a = (const T *)parts, *b = a + n, *c = b + n, *d = c + n;
  T *y = (T *)sum;
  EACH(i, n) y[i] = (float(a[i]) + float(b[i])) + (float(c[i]) + float(d[i]));
}
