// Convolutions in float32 with images abreast: as many of the batch as a vector
// has lanes, so that none idles however few the channels are. A value is one chain
// of multiply-adds over the kernel's rows, columns and channels, in this order, from
// the bias on or from 0 with the bias behind: the orders of few_to_many and of
// oneDNN's convolutions, whose bits these are.

#include "abreast_pass.hpp"

// turn transposes `lanes` vectors, by exchanging ever larger blocks.
struct Exchanges {
  int low[4][lanes], high[4][lanes]; // places in the pair of vectors; 8 lanes have 3 rounds
  constexpr Exchanges() : low(), high() {
    for (int r = 0, s = 1; s < lanes; r++, s *= 2)
      for (int i = 0; i < lanes; i++) {
        low[r][i] = i & s ? lanes + i - s : i;
        high[r][i] = i & s ? lanes + i : i + s;
      }
  }
};
alignas(64) static const Exchanges exchanges;

static inline void turn(V *v) {
#pragma GCC unroll 4
  for (int r = 0, s = 1; s < lanes; r++, s *= 2) {
    Places low = *(const Places *)exchanges.low[r], high = *(const Places *)exchanges.high[r];
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++) {
      if (i & s) continue;
      V a = v[i], b = v[i + s];
      v[i] = __builtin_shuffle(a, b, low), v[i + s] = __builtin_shuffle(a, b, high);
    }
  }
}

// A vector is one value of `lanes` images.
struct Singles {
  typedef float Value;
  typedef float Given;
  typedef V Sum;
  typedef V Vector;
  static constexpr int group = lanes, channels_most = lanes > 8 ? 4 : 2; // 24 sums in registers, or 12
  static constexpr size_t width = sizeof(float);

  Act act;
  const float *last; // added to the sums, a value a channel; may be null
  int channels;

  static V sums(float bias) { return V{} + bias; }
  static V all(float w) { return V{} + w; }
  static V load(const float *x) { return *(const V *)x; }
  static V dot(const V &sum, const V &x, const V &w) { return sum + x * w; }
  static void keep_sum(float *to, const V &v) { *(V *)to = v; }

  static int depth(int channels) { return channels; }
  static int pixels(int) { return 1; }

  static void fill(const Field<Singles> &f, const Shape &s, const float *from, size_t image, int images, float *) {
    int n = s.w * s.c;
    for (int h = 0; h < s.h; h++) {
      float *row = f.at + h * f.row(), *to = row + size_t(f.left) * s.c * lanes;
      zero(row, to - row), zero(to + n * lanes, row + f.row() - (to + n * lanes));
      for (int i = 0; i < n; i += lanes, from += lanes) {
        V v[lanes] = {};
        int m = smaller(lanes, n - i);
        if (m == lanes)
          for (int l = 0; l < images; l++) v[l] = *(const V *)(from + l * image);
        else
          for (int l = 0; l < images; l++) __builtin_memcpy(v + l, from + l * image, m * sizeof(float));
        turn(v);
        for (int k = 0; k < m; k++) *(V *)(to + (i + k) * lanes) = v[k];
      }
      from += n - up(n, lanes) * lanes;
    }
  }

  static void pack(const Filter<float> &f, const Axis &rows, const Axis &columns, float *to) {
    each_part(f.outs, channels_most, [&](int o0, int n) {
      for (int r = 0; r < rows.taps; r++)
        for (int k = 0; k < columns.taps; k++)
          for (int c = 0; c < f.ins; c++) {
            const float *w = f.at + o0 * f.out_step + c * f.in_step + size_t(rows.tap0 + r * rows.tap_step) * f.kernel + columns.tap0 + k * columns.tap_step;
            for (int o = 0; o < n; o++, w += f.out_step) *to++ = *w;
          }
    });
  }
  static size_t packed_row(const Filter<float> &f, const Axis &columns) { return size_t(columns.taps) * f.ins; }

  void finish(int n, int images, float *sums, char *to, size_t image_bytes) const {
    if (last)
      for (int i = 0; i < n; i += channels)
        for (int c = 0; c < channels; c++) *(V *)(sums + (i + c) * lanes) += last[c];
    if (act) activate(act, size_t(n) * lanes, sums, sums);
    for (int i = 0; i < n; i += lanes) {
      V v[lanes];
      for (int k = 0; k < lanes; k++) v[k] = *(const V *)(sums + (i + k) * lanes);
      turn(v);
      size_t bytes = smaller(lanes, n - i) * sizeof(float);
      char *at = to + i * sizeof(float);
      for (int l = 0; l < images; l++, at += image_bytes)
        if (bytes == sizeof(V)) *(V *)at = v[l];
        else __builtin_memcpy(at, v + l, bytes);
    }
  }
};

static void abreast(const Abreast &g, const float *x, const float *w, const float *bias, bool bias_first, float *y, float *scratch) {
  size_t taps = size_t(g.kernel) * g.kernel;
  Axis rows = forward_axis(g.kernel, g.stride, g.top, g.x.h, g.y.h), columns = forward_axis(g.kernel, g.stride, g.left, g.x.w, g.y.w);
  Filter<float> filter{w, g.y.c, g.x.c, g.kernel, taps * g.x.c, taps};
  convolve(Singles{g.act, bias_first ? nullptr : bias, g.y.c}, g.x, g.y, x, &filter, bias_first ? bias : nullptr, y, 1, &rows, &columns, {(char *)scratch});
}
