// Which convolutions have images abreast. Apart from the kernels, for it runs on
// every processor.
#include <string.h>

#include "abreast.h"

namespace moncae {

namespace {

// Few lanes may be idle, and a group of images should stay in the caches.
bool abreast_may(const Abreast &g, int lanes, bool bf16) {
  int rest = g.x.n % lanes;
  bool full = rest == 0 || rest >= 3 * lanes / 4 || g.x.n >= 4 * lanes;
  return full && g.stride <= 2 && abreast_scratch(g, bf16) <= 2 << 20;
}

bool usable() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && !strcmp(kernels_isa(), "avx512");
#else
  return false;
#endif
}

} // namespace

// oneDNN's are as fast where 32 channels and more are written, and where a kernel
// of one pixel has many channels: there, turning the images costs more than the
// sums.
bool abreast_fits(const Abreast &g, Way way) {
  if (!usable() || !abreast_may(g, 16, true)) return false;
  if (g.kernel == 1 && g.stride == 1 && g.x.c * g.y.c > 64) return false;
  if (way == way_grad_weight) return true;
  return way == way_forward ? g.y.c < 32 : g.x.c < 32 || g.stride > 1;
}

bool abreast_fits_float(const Abreast &g, int lanes) { return g.kernel > 1 && g.y.c < lanes && abreast_may(g, lanes, false); }

// More than any pass takes: both sides as vectors, with borders, and the weights.
size_t abreast_scratch(const Abreast &g, bool bf16) {
  auto side = [&](const Shape &s) { return size_t(s.h) * (s.w + 2 * g.kernel + 2) * (bf16 ? (s.c + 1) / 2 : s.c) * 16; };
  auto row = [](const Shape &s) { return size_t(round_up(s.w * s.c, 32) + 1) * 16 * 2; };
  size_t weights = size_t(g.kernel + 1) * (g.kernel + 1) * (g.x.c + 1) * (g.y.c + 1);
  return side(g.x) + side(g.y) + row(g.x) + row(g.y) + 3 * weights + 1024 + g.x.c + g.y.c;
}

} // namespace moncae
