// How the kernel of a convolution over an upsampled image folds onto the pixels
// of the small image.
#pragma once
#include <stddef.h>

namespace moncae {

inline int floor_half(int v) { return v >= 0 ? v / 2 : -((1 - v) / 2); }

// For output rows (columns) of a parity, tap `a` of the kernel of k falls on tap
// `at` of a kernel of `side`, which begins `before` pixels before the output's.
struct Folding {
  int k, pad;
  explicit Folding(int k) : k(k), pad(k / 2) {}
  int offset(int a, int parity) const { return floor_half(parity + a - pad); }
  int side() const { return pad + 1; }
  int before(int parity) const { return -offset(0, parity); }
  int after(int parity) const { return offset(k - 1, parity); }
  int at(int a, int parity) const { return offset(a, parity) + before(parity); }
  // A centred kernel that holds those of both parities.
  int reach() const { return floor_half(pad + 1); }
  int centred_side() const { return 2 * reach() + 1; }
  int centred(int a, int parity) const { return offset(a, parity) + reach(); }
};

// each_weight calls f(place in OIHW, place in the phase's OIHW) for all weights
// of `filters` pairs of channels. A phase is 2·(row parity) + (column parity).
template <class F> void each_weight(const Folding &f, size_t filters, int phase, F call) {
  int side = f.side();
  for (size_t o = 0; o < filters; o++)
    for (int a = 0; a < f.k; a++)
      for (int b = 0; b < f.k; b++) call((o * f.k + a) * f.k + b, (o * side + f.at(a, phase / 2)) * side + f.at(b, phase % 2));
}

} // namespace moncae
