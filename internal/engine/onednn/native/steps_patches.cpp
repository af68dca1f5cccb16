// The gradient of a convolution's weights where its output is a few pixels: as a matrix
// product. oneDNN's own reaches a hundredth to a tenth of the processor's rate there.
#include <algorithm>

#include "plan.h"

using namespace moncae;

namespace {

constexpr int few_pixels = 9;

void gather(const Linear &l, const Patches &t, const float *x, float *rows) {
  for (int n = 0; n < l.y.n; n++)
    for (int o = 0; o < l.y.h * l.y.w; o++)
      for (int r = 0; r < t.h; r++)
        for (int c = 0; c < t.w; c++, rows += l.x.c) {
          int i = o / l.y.w * l.stride + t.top + r - l.pads.top, j = o % l.y.w * l.stride + t.left + c - l.pads.left;
          if (i < 0 || j < 0 || i >= l.x.h || j >= l.x.w) std::fill_n(rows, l.x.c, 0.f);
          else std::copy_n(x + ((size_t(n) * l.x.h + i) * l.x.w + j) * l.x.c, l.x.c, rows);
        }
}

// spread brings sums [filter][tap][channel] to OIHW; taps that meet no image have none.
void spread(const Linear &l, const Patches &t, const float *sums, float *dw) {
  int area = l.kernel * l.kernel;
  if (t.h * t.w < area) std::fill_n(dw, size_t(l.y.c) * l.x.c * area, 0.f);
  for (int o = 0; o < l.y.c; o++, dw += l.x.c * area)
    for (int r = 0; r < t.h; r++)
      for (int c = 0; c < t.w; c++) {
        float *at = dw + (t.top + r) * l.kernel + t.left + c;
        for (int i = 0; i < l.x.c; i++) at[i * area] = *sums++;
      }
}

} // namespace

bool mn_plan::grad_weight_by_patches(const mn_step &s, const Linear &l) {
  if (l.bf16 || l.kernel < 2 || l.y.h * l.y.w > few_pixels) return false;
  Patches t(l);
  Shared p = patches_grad_weight(l);
  held.push_back(p);
  size_t rows = keep(t.rows * t.columns * sizeof(float)), sums = keep(l.y.c * t.columns * sizeof(float));
  own([=, this] { gather(l, t, at<float>(s.x), kept(rows)); });
  own(call(p->run, p->scratch, {{DNNL_ARG_SRC, inside(p->y, tensors[s.dy].offset)}, {DNNL_ARG_WEIGHTS, inside(p->x, rows)}, {DNNL_ARG_DST, inside(p->packed, sums)}}));
  own([=, this] { spread(l, t, kept(sums), net.grads.data() + s.weight); });
  if (s.bias >= 0) bias_grad(s);
  return true;
}
