#include "abreast.h"

#include "phases.h"

#include <string.h>

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi,bmi2,prefer-vector-width=512")
#pragma GCC optimize("no-math-errno", "no-trapping-math")
// gcc 12 warns of what its own header leaves open on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace moncae {

namespace {

constexpr int group = 16; // images abreast

#include "abreast_pass.hpp"

// turn transposes sixteen vectors of sixteen values.
inline void turn(__m512i *v) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]), v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]), v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    __m512i a = _mm512_shuffle_i32x4(v[c], v[4 + c], 0x88), b = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0x88);
    __m512i e = _mm512_shuffle_i32x4(v[c], v[4 + c], 0xdd), f = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0xdd);
    t[c] = _mm512_shuffle_i32x4(a, b, 0x88), t[8 + c] = _mm512_shuffle_i32x4(a, b, 0xdd);
    t[4 + c] = _mm512_shuffle_i32x4(e, f, 0x88), t[12 + c] = _mm512_shuffle_i32x4(e, f, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) v[i] = t[i];
}

// Of a group of images, `stride` values from one to the next; what is missing is 0.
struct Images {
  const uint16_t *at;
  size_t stride;
  int count;
  // block gives n ≤ 32 values of each image from o on, as pairs: v[i] is pair i of all.
  void block(size_t o, int n, __m512i *v) const {
    __mmask32 mask = n == 32 ? ~0u : (1u << n) - 1;
#pragma GCC unroll 16
    for (int l = 0; l < group; l++) v[l] = l < count ? _mm512_maskz_loadu_epi16(mask, at + l * stride + o) : _mm512_setzero_si512();
    turn(v);
  }
  // pairs: to[i] is values 2i and 2i+1 of all images, n of them; n is even.
  void pairs(size_t o, int n, uint32_t *to) const {
    for (int i = 0; i < n; i += 32) {
      __m512i v[16];
      int m = smaller(32, n - i);
      block(o + i, m, v);
      for (int k = 0; k < m / 2; k++) _mm512_storeu_si512(to + (i / 2 + k) * group, v[k]);
    }
  }
  // singles: to[i] is value i of all images.
  void singles(size_t o, int n, uint16_t *to) const {
    for (int i = 0; i < n; i += 32) {
      __m512i v[16];
      int m = smaller(32, n - i);
      block(o + i, m, v);
      for (int k = 0; k < m; k++) {
        __m512i both = k % 2 ? _mm512_srli_epi32(v[k / 2], 16) : v[k / 2];
        _mm256_storeu_si256((__m256i *)(to + (i + k) * group), _mm512_cvtepi32_epi16(both));
      }
    }
  }
};

// A vector is two channels of a pixel of sixteen images; of one channel, two
// neighbouring pixels.
struct Pairs {
  typedef uint32_t Value;
  typedef uint16_t Given;
  typedef __m512 Sum;
  typedef __m512i Vector;
  static constexpr int group = 16, channels_most = 4; // 24 sums in registers

  Act act;
  size_t width; // 4 for float32, 2 for bfloat16

  static Sum sums(float bias) { return _mm512_set1_ps(bias); }
  static Vector all(uint32_t w) { return _mm512_set1_epi32(w); }
  static Vector load(const uint32_t *x) { return _mm512_loadu_si512(x); }
  static Sum dot(Sum sum, Vector x, Vector w) { return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w); }
  static void keep_sum(float *to, Sum v) { _mm512_storeu_ps(to, v); }

  static int depth(int channels) { return (channels + 1) / 2; }
  static int pixels(int channels) { return channels == 1 ? 2 : 1; }

  static void fill(const Field<Pairs> &f, const Shape &s, const uint16_t *given, size_t image, int images, uint16_t *words) {
    const Images from{given, image, images};
    const size_t vector = group * sizeof(uint32_t);
    int n = s.w * s.c, right = f.wide - f.left - s.w;
    for (int h = 0; h < s.h; h++) {
      uint32_t *row = f.at + h * f.row(), *to = row + f.left * f.depth * group;
      memset(row, 0, f.left * f.depth * vector);
      memset(to + s.w * f.depth * group, 0, right * f.depth * vector);
      if (s.c % 2 == 0) {
        from.pairs(size_t(h) * n, n, to);
        continue;
      }
      from.singles(size_t(h) * n, n, words);
      memset(words + n * group, 0, group * sizeof(uint16_t)); // after the last
      auto word = [&](int i) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(words + i * group))); };
      if (s.c == 1) {
        if (f.left) _mm512_storeu_si512(to - group, _mm512_slli_epi32(word(0), 16));
        for (int i = 0; i < s.w; i++) _mm512_storeu_si512(to + i * group, _mm512_or_si512(word(i), _mm512_slli_epi32(word(i + 1), 16)));
        continue;
      }
      for (int i = 0; i < s.w; i++)
        for (int c = 0; c < s.c; c += 2, to += group) {
          __m512i pair = word(i * s.c + c);
          if (c + 1 < s.c) pair = _mm512_or_si512(pair, _mm512_slli_epi32(word(i * s.c + c + 1), 16));
          _mm512_storeu_si512(to, pair);
        }
    }
  }

  // pack writes the weights of taps rows × columns as the tiles read them:
  // [tile of out channels][row][column and pair][out channel].
  static void pack(const Filter<uint16_t> &f, const Axis &rows, const Axis &columns, uint32_t *to) {
    bool one = f.ins == 1;
    each_part(f.outs, channels_most, [&](int o0, int n) {
      for (int r = 0; r < rows.taps; r++)
        for (int k = 0; k < columns.taps; k += one ? 2 : 1)
          for (int c = 0; c < f.ins; c += 2) {
            const uint16_t *w = f.at + o0 * f.out_step + c * f.in_step + size_t(rows.tap0 + r * rows.tap_step) * f.kernel + columns.tap0 + k * columns.tap_step;
            bool second = one ? k + 1 < columns.taps : c + 1 < f.ins;
            ptrdiff_t next = one ? columns.tap_step : ptrdiff_t(f.in_step);
            for (int o = 0; o < n; o++, w += f.out_step) *to++ = w[0] | (second ? uint32_t(w[next]) << 16 : 0);
          }
    });
  }
  static size_t packed_row(const Filter<uint16_t> &f, const Axis &columns) { return f.ins == 1 ? up(columns.taps, 2) : size_t(columns.taps) * ((f.ins + 1) / 2); }

  // finish brings a row of sums, a vector a value, to the images. It writes over them.
  void finish(int n, int images, float *sums, char *to, size_t image_bytes) const {
    if (act) kernels(false).activate(act, size_t(n) * group, sums, sums);
    const bool wide = width == 4;
    int block = wide ? group : 2 * group;
    for (int i = 0; i < n; i += block) {
      __m512i v[16];
      const float *from = sums + i * group;
      __mmask32 mask = n - i >= block ? ~0u : (1u << (n - i)) - 1;
      if (wide) {
#pragma GCC unroll 16
        for (int l = 0; l < 16; l++) v[l] = _mm512_loadu_si512(from + l * group);
      } else {
#pragma GCC unroll 16
        for (int l = 0; l < 16; l++) {
          __m256i even = (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + 2 * l * group)), odd = (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + (2 * l + 1) * group));
          v[l] = _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
        }
      }
      turn(v);
      char *at = to + size_t(i) * (wide ? 4 : 2);
#pragma GCC unroll 16
      for (int l = 0; l < group; l++, at += image_bytes) {
        if (l >= images) break;
        if (wide) _mm512_mask_storeu_ps(at, mask, (__m512)v[l]);
        else _mm512_mask_storeu_epi16(at, mask, v[l]);
      }
    }
  }
};

// narrow rounds float32 to bfloat16.
void narrow(size_t n, const float *from, uint16_t *to) {
  for (size_t i = 0; i < n; i++) {
    uint32_t u = __builtin_bit_cast(uint32_t, from[i]);
    to[i] = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  }
}

// Sums over the pixels of a group: for O channels of dy and T neighbouring
// values of x's rows.
struct Sum {
  int rows, columns;
  const uint16_t *x, *dy;
  size_t x_row, x_pixel, dy_row, dy_pixel;
  float *to; // O rows of T
  size_t to_row;
};

template <int O, int T> void sum(const Sum &s) {
  __m256 acc[O][T];
#pragma GCC unroll 8
  for (int o = 0; o < O; o++)
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) acc[o][t] = _mm256_setzero_ps();
  for (int r = 0; r < s.rows; r++) {
    const uint16_t *x = s.x + r * s.x_row, *y = s.dy + r * s.dy_row;
    for (int i = 0; i < s.columns; i++, x += s.x_pixel, y += s.dy_pixel) {
      __m256i d[O];
#pragma GCC unroll 8
      for (int o = 0; o < O; o++) d[o] = _mm256_loadu_si256((const __m256i *)(y + o * group));
#pragma GCC unroll 8
      for (int t = 0; t < T; t++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(x + t * group));
#pragma GCC unroll 8
        for (int o = 0; o < O; o++) acc[o][t] = _mm256_dpbf16_ps(acc[o][t], (__m256bh)v, (__m256bh)d[o]);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < O; o++)
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
      __m128 four = _mm_add_ps(_mm256_castps256_ps128(acc[o][t]), _mm256_extractf128_ps(acc[o][t], 1));
      four = _mm_add_ps(four, _mm_movehl_ps(four, four));
      s.to[o * s.to_row + t] += _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
    }
}

typedef void (*SumOf)(const Sum &);
template <int O> constexpr SumOf sums_of[pixels_most] = {sum<O, 1>, sum<O, 2>, sum<O, 3>, sum<O, 4>, sum<O, 5>, sum<O, 6>};
SumOf sum_of(int o, int t) {
  switch (o) {
  case 1: return sums_of<1>[t - 1];
  case 2: return sums_of<2>[t - 1];
  case 3: return sums_of<3>[t - 1];
  default: return sums_of<4>[t - 1];
  }
}

void channel_sums(const Shape &s, const uint16_t *dy, float *db) {
  for (int c = 0; c < s.c; c++) {
    __m512 total = _mm512_setzero_ps();
    for (int i = 0; i < s.h * s.w; i++) {
      __m256i v = _mm256_loadu_si256((const __m256i *)(dy + (size_t(i) * s.c + c) * group));
      total = _mm512_add_ps(total, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16)));
    }
    db[c] += _mm512_reduce_add_ps(total);
  }
}

// Rows of an upsampled image that have a parity, as sums over the small one's.
Axis phase_axis(const Folding &f, int parity, int in) {
  Axis a{f.side(), -f.before(parity), 1, parity, 2, in, 0, 1};
  a.clip(in);
  return a;
}

// spread writes kernels of k+1 a side, whose every tap is the sum of the two by
// two of the turned kernel that fall on it.
template <int K> void spread(size_t pairs, int kernel, const float *from, float *to) {
  const int k = K ? K : kernel;
  float row[kernel_most + 2] = {};
  for (size_t o = 0; o < pairs; o++, from += k * k)
    for (int v = 0; v <= k; v++) {
      const float *r = from + (v == k ? 0 : k - 1 - v) * k;
      bool both = v > 0 && v < k;
      for (int b = 0; b < k; b++) row[1 + b] = both ? r[b] + r[b + k] : r[b];
      for (int q = 0; q <= k; q++) *to++ = row[k - q] + row[k - q + 1];
    }
}
auto spread_of(int k) { return k == 3 ? spread<3> : k == 5 ? spread<5> : k == 7 ? spread<7> : spread<0>; }

// grad_weight sums over the images: dw has kernels OIHW for every pair of rests.
void grad_weight(const Shape &in, const Shape &out, int kernel, int rests, const Axis *rows, const Axis *columns, const void *x, const void *dy, float *dw, float *db, Scratch s) {
  int left = 0, right = 0;
  for (int b = 0; b < rests; b++) {
    left = larger(left, -columns[b].first);
    right = larger(right, (columns[b].count - 1) * columns[b].in_step + columns[b].first + columns[b].taps - in.w);
  }
  int wide = left + in.w + right, row_values = in.w * in.c;
  size_t x_row = size_t(wide) * in.c * group, dy_row = size_t(out.w) * out.c * group, in_image = in.values() / in.n, out_image = out.values() / out.n;
  size_t weights = size_t(out.c) * in.c * kernel * kernel;
  uint16_t *xs = s.take<uint16_t>(x_row * in.h), *dys = s.take<uint16_t>(dy_row * out.h);
  float *all = s.take<float>(rests * rests * weights);
  memset(all, 0, rests * rests * weights * sizeof(float));
  memset(dw, 0, rests * rests * weights * sizeof(float));
  memset(db, 0, out.c * sizeof(float));
  for (int n = 0; n < in.n; n += group) {
    int images = smaller(group, in.n - n);
    Images from{(const uint16_t *)x + n * in_image, in_image, images};
    for (int h = 0; h < in.h; h++) {
      uint16_t *row = xs + h * x_row, *to = row + left * in.c * group;
      memset(row, 0, left * in.c * group * sizeof(uint16_t));
      memset(to + row_values * group, 0, right * in.c * group * sizeof(uint16_t));
      from.singles(size_t(h) * row_values, row_values, to);
    }
    Images{(const uint16_t *)dy + n * out_image, out_image, images}.singles(0, int(out_image), dys);
    channel_sums(out, dys, db);
    for (int i = 0; i < rests * rests; i++) {
      const Axis &v = rows[i / rests], &u = columns[i % rests];
      int line = u.taps * in.c;
      for (int r = 0; r < v.taps; r++) {
        // Rows and columns of dy whose tap falls within x.
        int tap = v.first + r, h0 = up(larger(0, -tap), v.in_step), h1 = tap < in.h ? smaller(v.count, (in.h - 1 - tap) / v.in_step + 1) : 0;
        each_part(line, pixels_most, [&](int t0, int ts) {
          int from_left = u.first + t0 / in.c, to_right = u.first + (t0 + ts - 1) / in.c;
          int w0 = up(larger(0, -to_right), u.in_step), w1 = from_left < in.w ? smaller(u.count, (in.w - 1 - from_left) / u.in_step + 1) : 0;
          if (h1 <= h0 || w1 <= w0) return;
          each_part(out.c, Pairs::channels_most, [&](int o0, int os) {
            Sum t{h1 - h0, w1 - w0, xs + (h0 * v.in_step + tap) * x_row + (size_t(left + u.first + w0 * u.in_step) * in.c + t0) * group,
                  dys + (v.out0 + h0 * v.out_step) * dy_row + (size_t(u.out0 + w0 * u.out_step) * out.c + o0) * group,
                  x_row * v.in_step, size_t(u.in_step) * in.c * group, dy_row * v.out_step, size_t(u.out_step) * out.c * group,
                  all + i * weights + (size_t(o0) * v.taps + r) * line + t0, size_t(v.taps) * line};
            sum_of(os, ts)(t);
          });
        });
      }
    }
  }
  for (int i = 0; i < rests * rests; i++, dw += weights) {
    const Axis &v = rows[i / rests], &u = columns[i % rests];
    const float *sums = all + i * weights;
    for (int o = 0; o < out.c; o++)
      for (int r = 0; r < v.taps; r++)
        for (int k = 0; k < u.taps; k++)
          for (int c = 0; c < in.c; c++) dw[((size_t(o) * in.c + c) * kernel + v.tap0 + r) * kernel + u.tap0 + k] = *sums++;
  }
}

} // namespace

void abreast_forward(const Abreast &g, const void *x, const float *w, const float *bias, void *y, float *scratch) {
  Scratch s{(char *)scratch};
  size_t taps = size_t(g.kernel) * g.kernel, values = taps * g.x.c * g.y.c;
  uint16_t *narrowed = s.take<uint16_t>(values);
  narrow(values, w, narrowed);
  Axis rows = forward_axis(g.kernel, g.stride, g.top, g.x.h, g.y.h), columns = forward_axis(g.kernel, g.stride, g.left, g.x.w, g.y.w);
  Filter<uint16_t> filter{narrowed, g.y.c, g.x.c, g.kernel, taps * g.x.c, taps};
  convolve(Pairs{g.act, g.wide ? 4u : 2u}, g.x, g.y, x, &filter, bias, y, 1, &rows, &columns, s);
}

void abreast_grad_input(const Abreast &g, const void *dy, const float *w, void *dx, float *scratch) {
  Scratch s{(char *)scratch};
  size_t taps = size_t(g.kernel) * g.kernel, values = taps * g.x.c * g.y.c;
  uint16_t *narrowed = s.take<uint16_t>(values);
  narrow(values, w, narrowed);
  Axis rows[strides_most], columns[strides_most];
  for (int i = 0; i < g.stride; i++) {
    rows[i] = backward_axis(g.kernel, g.stride, g.top, i, g.x.h, g.y.h);
    columns[i] = backward_axis(g.kernel, g.stride, g.left, i, g.x.w, g.y.w);
  }
  Filter<uint16_t> filter{narrowed, g.x.c, g.y.c, g.kernel, taps, taps * g.x.c}, filters[] = {filter, filter, filter, filter};
  convolve(Pairs{act_none, g.wide ? 4u : 2u}, g.y, g.x, dy, filters, nullptr, dx, g.stride, rows, columns, s);
}

void abreast_grad_weight(const Abreast &g, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  Axis rows = forward_axis(g.kernel, g.stride, g.top, g.x.h, g.y.h), columns = forward_axis(g.kernel, g.stride, g.left, g.x.w, g.y.w);
  grad_weight(g.x, g.y, g.kernel, 1, &rows, &columns, x, dy, dw, db, {(char *)scratch});
}

void abreast_up_forward(const Abreast &g, const void *x, const float *phases, const float *bias, void *y, float *scratch) {
  Scratch s{(char *)scratch};
  Folding f(g.kernel);
  size_t taps = size_t(f.side()) * f.side(), values = taps * g.x.c * g.y.c;
  uint16_t *narrowed = s.take<uint16_t>(4 * values);
  narrow(4 * values, phases, narrowed);
  Axis rows[2], columns[2];
  Filter<uint16_t> filters[4];
  for (int i = 0; i < 2; i++) rows[i] = phase_axis(f, i, g.x.h), columns[i] = phase_axis(f, i, g.x.w);
  for (int i = 0; i < 4; i++) filters[i] = {narrowed + i * values, g.y.c, g.x.c, f.side(), taps * g.x.c, taps};
  convolve(Pairs{g.act, g.wide ? 4u : 2u}, g.x, g.y, x, filters, bias, y, 2, rows, columns, s);
}

// The way back through convolution and upsampling is a convolution of stride 2,
// whose kernel is the sum of the four that the four pixels of a pixel have.
void abreast_up_grad_input(const Abreast &g, const void *dy, const float *w, void *dx, float *scratch) {
  Scratch s{(char *)scratch};
  int k = g.kernel, side = k + 1, before = k - 1 - k / 2;
  size_t taps = size_t(side) * side, pairs = size_t(g.x.c) * g.y.c;
  float *sums = s.take<float>(taps * pairs);
  uint16_t *narrowed = s.take<uint16_t>(taps * pairs);
  spread_of(k)(pairs, k, w, sums);
  narrow(taps * pairs, sums, narrowed);
  Axis rows{side, -before, 2, 0, 1, g.x.h, 0, 1}, columns{side, -before, 2, 0, 1, g.x.w, 0, 1};
  rows.clip(g.y.h), columns.clip(g.y.w);
  Filter<uint16_t> filter{narrowed, g.x.c, g.y.c, side, taps, taps * g.x.c};
  convolve(Pairs{act_none, g.wide ? 4u : 2u}, g.y, g.x, dy, &filter, nullptr, dx, 1, &rows, &columns, s);
}

void abreast_up_grad_weight(const Abreast &g, const void *x, const void *dy, float *phases, float *db, float *scratch) {
  Folding f(g.kernel);
  Axis rows[2], columns[2];
  for (int i = 0; i < 2; i++) rows[i] = phase_axis(f, i, g.x.h), columns[i] = phase_axis(f, i, g.x.w);
  grad_weight(g.x, g.y, f.side(), 2, rows, columns, x, dy, phases, db, {(char *)scratch});
}

} // namespace moncae
#else
namespace moncae {
void abreast_forward(const Abreast &, const void *, const float *, const float *, void *, float *) {}
void abreast_grad_input(const Abreast &, const void *, const float *, void *, float *) {}
void abreast_grad_weight(const Abreast &, const void *, const void *, float *, float *, float *) {}
void abreast_up_forward(const Abreast &, const void *, const float *, const float *, void *, float *) {}
void abreast_up_grad_input(const Abreast &, const void *, const float *, void *, float *) {}
void abreast_up_grad_weight(const Abreast &, const void *, const void *, float *, float *, float *) {}
} // namespace moncae
#endif
