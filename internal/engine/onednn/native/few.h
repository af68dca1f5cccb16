// Which convolutions the project's own kernels take instead of oneDNN, and the
// layouts that those kernels want the weights in.
#pragma once
#include "prims.h"

namespace moncae {

constexpr int few_channels = 3;

// few_sided tells whether a convolution has a side of few channels and is of
// the kind that kernels.h' few_* do.
inline bool few_sided(const Linear &l) {
  bool kernel = l.kernel == 1 || l.kernel == 3 || l.kernel == 5 || l.kernel == 7;
  return kernel && l.stride == 1 && (l.x.c <= few_channels || l.y.c <= few_channels);
}

// Weights OIHW; `flip` turns the kernel by half a turn, as gradients need it.
struct Oihw {
  int o, i, k;
  size_t at(int out, int in, int row, int column, bool flip) const {
    if (flip) row = k - 1 - row, column = k - 1 - column;
    return ((size_t(out) * i + in) * k + row) * k + column;
  }
  size_t values() const { return size_t(o) * i * k * k; }
};

// Packed weights of the few kernels take at most this many values.
inline size_t few_values(const Oihw &w, int lanes) { return size_t(w.k) * w.k * (w.o + lanes) * (w.i + lanes); }
void pack_few_to_many(const Oihw &, bool input_is_few, bool flip, int lanes, const float *from, float *to);
void pack_many_few(const Oihw &, bool output_is_few, bool flip, int lanes, const float *from, float *to);
// unpack_few brings the sums of few_grad to OIHW.
void unpack_few(const Oihw &, bool input_is_few, int lanes, const float *from, float *to);

} // namespace moncae
