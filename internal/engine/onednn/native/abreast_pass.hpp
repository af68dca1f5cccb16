// What convolutions with images abreast share, whatever they multiply: the axes
// of a pass, and the pass over rows, tiles of channels and pixels. Included inside
// a namespace of its own for each kind of processor, and so without a library's
// functions.

static inline int smaller(int a, int b) { return a < b ? a : b; }
static inline int larger(int a, int b) { return a > b ? a : b; }
static inline int up(int a, int b) { return (a + b - 1) / b; } // a ≥ 0

// One axis of a pass: its i-th place out is out0 + i·out_step, and tap u there
// reads place in_step·i + first + u. The tap's weight is tap0 + u·tap_step.
struct Axis {
  int taps, first, in_step, out0, out_step, count, tap0, tap_step;
  // clip drops taps that never fall within `in` places.
  void clip(int in) {
    int low = smaller(taps, larger(0, -(first + (count - 1) * in_step))), high = larger(low, smaller(taps, in - first));
    taps = high - low, first += low, tap0 += low * tap_step;
  }
  // The taps that fall within for `n` places from the i-th on.
  void range(int i, int n, int in, int &low, int &high) const {
    int at = first + i * in_step;
    low = smaller(taps, larger(0, -(at + (n - 1) * in_step))), high = larger(low, smaller(taps, in - at));
  }
};

static inline Axis forward_axis(int kernel, int stride, int pad, int in, int out) {
  Axis a{kernel, -pad, stride, 0, 1, out, 0, 1};
  a.clip(in);
  return a;
}

// The way back, for places p of the input with (p + pad) mod stride = rest:
// only every stride-th tap falls on them.
static inline Axis backward_axis(int kernel, int stride, int pad, int rest, int in, int out) {
  int begin = (rest - pad % stride + stride) % stride, taps = rest < kernel ? up(kernel - rest, stride) : 0;
  int count = begin < in ? up(in - begin, stride) : 0;
  Axis a{taps, (begin + pad - rest) / stride - taps + 1, 1, begin, stride, count, rest + stride * (taps - 1), -stride};
  if (count) a.clip(out);
  return a;
}

// each_part calls f(begin, length) for parts of n that are as alike as can be.
template <class F> static inline void each_part(int n, int longest, F f) {
  int parts = up(n, longest);
  for (int i = 0, at = 0; i < parts; i++) {
    int length = (n - at + parts - i - 1) / (parts - i);
    f(at, length);
    at += length;
  }
}

// What one pass over a group of images needs, carved from the scratch.
struct Scratch {
  char *at;
  template <class T> T *take(size_t n) {
    T *p = (T *)at;
    at += (n * sizeof(T) + 63) / 64 * 64;
    return p;
  }
};

// Weights by out channel and in channel, whichever way the pass goes.
template <class T> struct Filter {
  const T *at;
  int outs, ins, kernel;
  size_t out_step, in_step;
};

// What a pass reads, a vector for each of `depth` values of a pixel, with zeros
// beside every row.
template <class K> struct Field {
  typename K::Value *at;
  int depth, left, wide; // vectors a pixel; zeros before a row; pixels of a row with its zeros
  size_t row() const { return size_t(wide) * depth * K::group; }
  size_t size(int rows) const { return rows * row(); }
};

template <class K> struct Tile {
  int rows, taps;               // of the kernel; vectors in a row of it
  const typename K::Value *x;   // the first pixel's first vector
  size_t x_row, x_pixel, x_tap; // in values
  const typename K::Value *w;
  size_t w_row;
  const float *bias;
  float *y;
  size_t y_pixel;
};

template <class K, int O, int P> static void tile(const Tile<K> &t) {
  typename K::Sum sum[P][O];
#pragma GCC unroll 8
  for (int o = 0; o < O; o++)
#pragma GCC unroll 8
    for (int p = 0; p < P; p++) sum[p][o] = K::sums(t.bias[o]);
  for (int r = 0; r < t.rows; r++) {
    const typename K::Value *x = t.x + r * t.x_row, *w = t.w + r * t.w_row;
    for (int k = 0; k < t.taps; k++, x += t.x_tap, w += O) {
      typename K::Vector u[O];
#pragma GCC unroll 8
      for (int o = 0; o < O; o++) u[o] = K::all(w[o]);
#pragma GCC unroll 8
      for (int p = 0; p < P; p++) {
        typename K::Vector v = K::load(x + p * t.x_pixel);
#pragma GCC unroll 8
        for (int o = 0; o < O; o++) sum[p][o] = K::dot(sum[p][o], v, u[o]);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; p++)
#pragma GCC unroll 8
    for (int o = 0; o < O; o++) K::keep_sum(t.y + p * t.y_pixel + o * K::group, sum[p][o]);
}

constexpr int pixels_most = 6; // of a tile

template <class K> using TileOf = void (*)(const Tile<K> &);
template <class K, int O> constexpr TileOf<K> tiles_of[pixels_most] = {tile<K, O, 1>, tile<K, O, 2>, tile<K, O, 3>, tile<K, O, 4>, tile<K, O, 5>, tile<K, O, 6>};
template <class K> static TileOf<K> tile_of(int o, int p) {
  if constexpr (K::channels_most > 2) {
    if (o == 3) return tiles_of<K, 3>[p - 1];
    if (o == 4) return tiles_of<K, 4>[p - 1];
  }
  return o == 1 ? tiles_of<K, 1>[p - 1] : tiles_of<K, 2>[p - 1];
}

constexpr int strides_most = 2;

// convolve makes `out` of `in`: rows and columns have an axis for each of the
// output's `rests`, and filters[row's rest·rests + column's rest] is theirs. Sums
// begin with the bias, or 0 where it is null. K says what a vector holds:
//
//	Value, Given, Sum, Vector, group, channels_most; sums, all, load, dot, keep_sum  as tile uses them
//	depth(channels), pixels(channels)  vectors a pixel; pixels that one holds
//	fill(field, shape, from, images, words)  a group of images
//	pack(filter, rows, columns, to), packed_row(filter, columns)  weights as tiles read them
//	finish(n, images, sums, to, image), width  a row of sums to the images; bytes of a value there
template <class K> static void convolve(const K &k, const Shape &in, const Shape &out, const void *from, const Filter<typename K::Given> *filters, const float *bias, void *to, int rests, const Axis *rows, const Axis *columns, Scratch scratch) {
  constexpr int group = K::group;
  int left = 0, right = 0, pixels = K::pixels(in.c);
  for (int b = 0; b < rests; b++) {
    const Axis &c = columns[b];
    left = larger(left, -c.first);
    if (c.count) right = larger(right, (c.count - 1) * c.in_step + c.first + c.taps - in.w);
  }
  Field<K> f{nullptr, K::depth(in.c), left, left + in.w + right + pixels - 1};
  f.at = scratch.take<typename K::Value>(f.size(in.h));
  auto *words = scratch.take<typename K::Given>(size_t(in.w * in.c + 1) * group);
  float *zeros = scratch.take<float>(out.c), *sums = scratch.take<float>(size_t(round_up(out.w * out.c, 2 * group)) * group);
  typename K::Value *packed[strides_most][strides_most];
  const Filter<typename K::Given> &filter = *filters;
  for (int a = 0; a < rests; a++)
    for (int b = 0; b < rests; b++) {
      packed[a][b] = scratch.take<typename K::Value>(rows[a].taps * K::packed_row(filter, columns[b]) * out.c);
      K::pack(filters[a * rests + b], rows[a], columns[b], packed[a][b]);
    }
  __builtin_memset(zeros, 0, out.c * sizeof(float));
  if (!bias) bias = zeros;
  size_t in_image = in.values() / in.n, out_image = out.values() / out.n * k.width, out_row = out_image / out.h;
  for (int n = 0; n < in.n; n += group) {
    int images = smaller(group, in.n - n);
    K::fill(f, in, (const typename K::Given *)from + n * in_image, in_image, images, words);
    for (int a = 0; a < rests; a++)
      for (int i = 0; i < rows[a].count; i++) {
        int low, high;
        rows[a].range(i, 1, in.h, low, high);
        for (int b = 0; b < rests; b++) {
          const Axis &c = columns[b];
          each_part(out.c, K::channels_most, [&](int o0, int os) {
            size_t w_row = K::packed_row(filter, c) * os;
            const auto *w = packed[a][b] + rows[a].taps * K::packed_row(filter, c) * o0 + low * w_row;
            const auto *x = f.at + ptrdiff_t(rows[a].first + i * rows[a].in_step + low) * ptrdiff_t(f.row());
            each_part(c.count, pixels_most, [&](int p0, int ps) {
              int begin, end;
              c.range(p0, ps, in.w, begin, end);
              begin -= begin % pixels;
              int first = begin / pixels * f.depth, taps = up(end - begin, pixels) * f.depth;
              Tile<K> t{high - low, taps, x + (f.left + c.first + p0 * c.in_step + begin) * f.depth * group, f.row(), size_t(c.in_step) * f.depth * group, size_t(pixels) * group,
                        w + first * os, w_row, bias + o0, sums + ((c.out0 + p0 * c.out_step) * out.c + o0) * group, size_t(c.out_step) * out.c * group};
              tile_of<K>(os, ps)(t);
            });
          });
        }
        k.finish(out.w * out.c, images, sums, (char *)to + n * out_image + (rows[a].out0 + i * rows[a].out_step) * out_row, out_image);
      }
  }
}
