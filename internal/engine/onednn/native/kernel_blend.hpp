// A blend of losses: BCE, squared error, and 1 − the structural similarity under
// Gaussian windows, as internal/metric defines it. An image lies flat, pixel after
// pixel; what is as wide as it but has fewer windows a row has zeros at the rows' ends,
// so that moving along the flat array moves along rows and columns alike.

// to[i] += tap·from[i]
KERNEL void add_times(size_t n, double tap, const double *__restrict from, double *__restrict to) {
  EACH(i, n) to[i] += tap * from[i];
}

struct Windows {
  size_t n;             // values of an image
  size_t side, row, pixel; // of a window; values from a row to the next, and from a pixel
  double taps[gaussian_window];

  explicit Windows(const Shape &s) : n(s.values() / s.n), side(gaussian_window), row(size_t(s.w) * s.c), pixel(s.c) {
    side = least(side, least((s.h - 1) | 1, (s.w - 1) | 1));
    double sum = 0;
    for (size_t i = 0; i < side; i++) {
      double d = (double(i) - double(side / 2)) / 1.5;
      sum += taps[i] = __builtin_exp(-d * d / 2);
    }
    for (size_t i = 0; i < side; i++) taps[i] /= sum;
  }

  // The weighted mean of every window, at the place of its first value.
  void blur(const double *from, double *along, double *to) const {
    clear(along), clear(to);
    for (size_t k = 0; k < side; k++) add_times(n - k * pixel, taps[k], from + k * pixel, along);
    for (size_t k = 0; k < side; k++) add_times(n - k * row, taps[k], along + k * row, to);
  }
  // Its transpose: every window's value to its pixels.
  void spread(const double *from, double *along, double *to) const {
    clear(along), clear(to);
    for (size_t k = 0; k < side; k++) add_times(n - k * row, taps[k], from, along + k * row);
    for (size_t k = 0; k < side; k++) add_times(n - k * pixel, taps[k], along, to + k * pixel);
  }
  void clear(double *v) const { EACH(i, n) v[i] = 0; }
};

// How alike an image and what sigmoid makes of logits are, and into slope, where it
// is not null, the gradient by the latter. scratch holds nine images.
static double similarity(const Shape &s, const float *z, const uint8_t *target, double *scratch, double *slope) {
  const Windows w(s);
  const size_t n = w.n;
  double *x = scratch, *y = x + n, *product = y + n, *along = product + n;
  double *mx = along + n, *my = mx + n, *xx = my + n, *yy = xx + n, *xy = yy + n;
  for (size_t i = 0; i < n; i++) x[i] = target[i] / 255.f, y[i] = sigmoid_(z[i]);
  auto blurred = [&](const double *a, const double *b, double *to) {
    EACH(i, n) product[i] = a[i] * b[i];
    w.blur(product, along, to);
  };
  w.blur(x, along, mx), w.blur(y, along, my);
  blurred(x, x, xx), blurred(y, y, yy), blurred(x, y, xy);
  const size_t rows = s.h - w.side + 1, columns = (s.w - w.side + 1) * w.pixel;
  const double c1 = 1e-4, c2 = 9e-4, windows = double(rows * columns);
  double total = 0;
  // By y, a window's similarity has the slope weight·(even + 2·square·y + crossed·x).
  double *even = mx, *square = yy, *crossed = xy;
  for (size_t i = 0; i < n; i++) {
    if (i / w.row >= rows || i % w.row >= columns) {
      even[i] = square[i] = crossed[i] = 0;
      continue;
    }
    double a = mx[i], b = my[i], a1 = 2 * a * b + c1, a2 = 2 * (xy[i] - a * b) + c2;
    double b1 = a * a + b * b + c1, b2 = xx[i] - a * a + yy[i] - b * b + c2, v = a1 * a2 / (b1 * b2);
    total += v;
    square[i] = -v / b2, crossed[i] = 2 * a1 / (b1 * b2);
    even[i] = 2 * a * a2 / (b1 * b2) - 2 * b * v / b1 - 2 * b * square[i] - a * crossed[i];
  }
  if (slope) {
    w.spread(even, along, slope);
    w.spread(square, along, product);
    EACH(i, n) slope[i] += 2 * product[i] * y[i];
    w.spread(crossed, along, product);
    EACH(i, n) slope[i] = (slope[i] + product[i] * x[i]) / windows;
  }
  return total / windows;
}

KERNEL double blend_run(size_t n, const Blend &b, const float *__restrict z, const uint8_t *__restrict t, const double *__restrict slope, float scale, float *__restrict dz) {
  float bce = float(b.bce) * scale, mse = float(b.mse) * scale;
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    float entropy, square, y = sigmoid_(z[i]);
    float v = bce * loss1<false>(z[i], t[i] * (1 / 255.f), entropy) + mse * loss1<true>(z[i], t[i] * (1 / 255.f), square);
    sum += v;
    dz[i] = bce * entropy + mse * square - float(slope[i]) * y * (1 - y);
  }
  return sum;
}

// The mean over the batch, and its gradient. scratch holds ten images.
template <class T> double blend_loss(const Blend &b, const Shape &s, const float *z, const uint8_t *target, void *dz_, double *scratch) {
  size_t n = s.values() / s.n;
  T *dz = (T *)dz_;
  double *slope = scratch, sum = 0;
  float buf[loss_block];
  for (size_t i = 0; i < n; i++) slope[i] = 0;
  for (int image = 0; image < s.n; image++, z += n, target += n, dz += n) {
    if (b.ssim > 0) {
      sum += b.ssim * (1 - similarity(s, z, target, scratch + n, slope)) / s.n;
      for (size_t i = 0; i < n; i++) slope[i] *= b.ssim / s.n;
    }
    for (size_t o = 0; o < n; o += loss_block) {
      size_t m = least(loss_block, n - o);
      float *to = out(dz + o, buf);
      sum += blend_run(m, b, z + o, target + o, slope + o, float(1 / double(s.values())), to);
      store(dz + o, m, to);
    }
  }
  return sum;
}

// The similarities of the first count images, summed; scratch holds nine images.
static double similarities(const Shape &s, int count, const float *z, const uint8_t *target, double *scratch) {
  size_t n = s.values() / s.n;
  double sum = 0;
  for (int image = 0; image < count; image++) sum += similarity(s, z + image * n, target + image * n, scratch, nullptr);
  return sum;
}
