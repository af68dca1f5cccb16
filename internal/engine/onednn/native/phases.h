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
  // Taps 2·p + first and the next fall on tap p of the small kernel.
  int first(int parity) const { return pad - parity - 2 * before(parity); }
  // A centred kernel that holds those of both parities.
  int reach() const { return floor_half(pad + 1); }
  int centred_side() const { return 2 * reach() + 1; }
  int centred(int a, int parity) const { return offset(a, parity) + reach(); }
};

constexpr int kernel_most = 99; // as arch.MaxKernel

// A phase is 2·(row parity) + (column parity). K is the kernel's side where it is
// one of the usual ones, for loops of constant length, or 0.
template <int K> void fold_of(const Folding &f, size_t filters, int phase, const float *from, float *to) {
  const int k = K ? K : f.k, side = k / 2 + 1, y = f.first(phase / 2), x = 1 + f.first(phase % 2);
  float row[kernel_most + 2] = {}; // with a zero on either side
  for (size_t o = 0; o < filters; o++, from += k * k)
    for (int p = 0; p < side; p++) {
      int a = 2 * p + y;
      const float *r = from + (a < 0 ? 0 : a) * k;
      bool both = a >= 0 && a + 1 < k;
      for (int b = 0; b < k; b++) row[1 + b] = both ? r[b] + r[b + k] : r[b];
      for (int q = 0; q < side; q++) *to++ = row[x + 2 * q] + row[x + 2 * q + 1];
    }
}

// unfold adds a phase's gradients to those of the weights that they are sums of.
template <int K> void unfold_of(const Folding &f, size_t filters, int phase, const float *from, float *to) {
  const int k = K ? K : f.k, side = k / 2 + 1;
  int column[kernel_most];
  for (int b = 0; b < k; b++) column[b] = f.at(b, phase % 2);
  for (size_t o = 0; o < filters; o++, from += side * side)
    for (int a = 0; a < k; a++, to += k) {
      const float *r = from + f.at(a, phase / 2) * side;
      for (int b = 0; b < k; b++) to[b] += r[column[b]];
    }
}

// fold writes the kernels of a phase, side×side, for `filters` pairs of channels.
inline void fold(const Folding &f, size_t filters, int phase, const float *from, float *to) {
  (f.k == 3 ? fold_of<3> : f.k == 5 ? fold_of<5> : f.k == 7 ? fold_of<7> : fold_of<0>)(f, filters, phase, from, to);
}
inline void unfold(const Folding &f, size_t filters, int phase, const float *from, float *to) {
  (f.k == 3 ? unfold_of<3> : f.k == 5 ? unfold_of<5> : f.k == 7 ? unfold_of<7> : unfold_of<0>)(f, filters, phase, from, to);
}

} // namespace moncae
