// Losses with their gradients in one pass. Sums are float32 over at most 64
// values a lane, float64 beyond.

constexpr size_t loss_block = 1024;

// root1 is one value's loss and its gradient, for squares the loss's root.
template <bool square> static inline float root1(float z, float t, float &dz) {
  float u = exp_(z < 0 ? z : -z), s = 1 / (1 + u), y = z < 0 ? u * s : s, d = y - t;
  if (square) {
    dz = 2 * d * y * (1 - y);
    return d;
  }
  dz = d;
  return (z > 0 ? z : 0) - z * t + log1p_(u);
}

template <bool square> static inline float loss1(float z, float t, float &dz) {
  float v = root1<square>(z, t, dz);
  return square ? v * v : v;
}

// Value i counts to lane i % 16, those of a last part of 16 to lane 0. Squares
// are made where they are added.
template <bool square> KERNEL float loss_run(size_t n, const float *__restrict z, const uint8_t *__restrict t, float scale, float *__restrict dz) {
  float v[loss_block], lane[16] = {};
  for (size_t i = 0; i < n; i++) {
    float d;
    v[i] = root1<square>(z[i], t[i] * (1 / 255.f), d);
    dz[i] = d * scale;
  }
  size_t i = 0;
  for (; i + 16 <= n; i += 16) EACH(l, 16) lane[l] += square ? v[i + l] * v[i + l] : v[i + l];
  for (; i < n; i++) lane[0] += square ? v[i] * v[i] : v[i];
  float sum = 0;
  for (float l : lane) sum += l;
  return sum;
}

template <class T> double pixel_loss(Loss kind, size_t n, const float *z, const uint8_t *target, float scale, void *dz_) {
  T *dz = (T *)dz_;
  float buf[loss_block];
  double sum = 0;
  for (size_t o = 0; o < n; o += loss_block) {
    size_t m = least(loss_block, n - o);
    float *to = out(dz + o, buf);
    sum += kind == loss_mse ? loss_run<true>(m, z + o, target + o, scale, to) : loss_run<false>(m, z + o, target + o, scale, to);
    store(dz + o, m, to);
  }
  return sum;
}

static void pixel_sums(size_t n, const float *z, const uint8_t *target, double *bce, double *squares) {
  float unused[loss_block];
  for (size_t o = 0; o < n; o += loss_block) {
    size_t m = least(loss_block, n - o);
    *bce += loss_run<false>(m, z + o, target + o, 0, unused);
    *squares += loss_run<true>(m, z + o, target + o, 0, unused);
  }
}

static void sigmoid(size_t n, const float *z, float *y) { activate(act_sigmoid, n, z, y); }

// Softmax cross-entropy about the largest logit, in float64: rows are few and short.
template <class T> double class_loss(size_t n, int classes, const float *z, const int32_t *labels, float scale, void *dz) {
  double loss = 0;
  for (size_t r = 0; r < n; r++, z += classes) {
    float top = z[0];
    for (int k = 1; k < classes; k++) top = z[k] > top ? z[k] : top;
    double sum = 0;
    for (int k = 0; k < classes; k++) sum += __builtin_exp(double(z[k]) - top);
    loss += __builtin_log(sum) + top - z[labels[r]];
    if (!dz) continue;
    T *d = (T *)dz + r * classes;
    for (int k = 0; k < classes; k++) d[k] = float(scale * (__builtin_exp(double(z[k]) - top) / sum - (k == labels[r])));
  }
  return loss;
}
