// The last layer, mostly: a convolution of an upsampled image to one to three
// channels. Its four phases are channels of one convolution of the small image
// with a centred kernel, which the few kernels do: neither the upsampled image
// nor its gradient is ever written.
#include <algorithm>

#include "few.h"
#include "phases.h"
#include "plan.h"

using namespace moncae;

namespace {

// The layer over the small image: channel phase·filters + o of 4·filters.
struct Phased {
  Folding f;
  Oihw from, to;
  Phased(int kernel, int filters, int channels) : f(kernel), from{filters, channels, kernel}, to{4 * filters, channels, f.centred_side()} {}

  // each calls f(place in the weights, place in the small layer's).
  template <class F> void each(F call) const {
    for (int phase = 0; phase < 4; phase++)
      for (int o = 0; o < from.o; o++)
        for (int i = 0; i < from.i; i++)
          for (int a = 0; a < from.k; a++)
            for (int b = 0; b < from.k; b++)
              call(from.at(o, i, a, b, false), to.at(phase * from.o + o, i, f.centred(a, phase / 2), f.centred(b, phase % 2), false));
  }
  void fold(const float *w, float *folded) const {
    std::fill(folded, folded + to.values(), 0.f);
    each([=](size_t i, size_t j) { folded[j] += w[i]; });
  }
  void unfold(const float *folded, float *w) const {
    std::fill(w, w + from.values(), 0.f);
    each([=](size_t i, size_t j) { w[i] += folded[j]; });
  }
};

Few few_layer(const Shape &low, int filters, int kernel, bool wide, float *scratch) { return {{low.n, 4 * filters, low.h, low.w}, low, kernel, wide, scratch}; }

} // namespace

void mn_plan::up_few_forward(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.y);
  Phased l(s.kernel, image.c, low.c);
  Place w{net.params.data() + s.weight, 0}, b{net.params.data() + s.bias, 0};
  if (s.norm) fold(s, linear(s, s.x, s.y), w, b);
  size_t folded = keep(l.to.values() * sizeof(float)), packed = keep(few_values(l.to, k.lanes) * sizeof(float)), bias = keep(l.to.o * sizeof(float));
  bool wide = is_float(s.y); // and so are the phases
  need_scratch(few_scratch(few_layer(low, image.c, l.to.k, wide, nullptr)));
  need_scratch(point_scratch(image));
  weigh([=, this] {
    l.fold(pointer(w), kept(folded));
    pack_many_few(l.to, true, false, k.lanes, kept(folded), kept(packed));
    for (int o = 0; o < l.to.o; o++) kept(bias)[o] = pointer(b)[o % image.c];
  });
  own([=, this] {
    const Kernels &of = kernels(!wide);
    k.many_to_few(few_layer(low, image.c, l.to.k, wide, scratched()), at(s.x), kept(packed), kept(bias), at(s.aux));
    of.spread_phases({low.n, image.c, low.h, low.w}, at(s.aux), at(s.y));
    if (s.act) of.forward({image, image, at(s.y), nullptr, nullptr, Act(s.act), plain, at(s.y), nullptr, scratched()});
  });
}

void mn_plan::up_few_grad(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.dy);
  Phased l(s.kernel, image.c, low.c);
  const float *w = net.params.data() + s.weight;
  float *dw = net.grads.data() + s.weight, *db = net.grads.data() + s.bias;
  size_t folded = keep(l.to.values() * sizeof(float)), packed = keep(few_values(l.to, k.lanes) * sizeof(float));
  need_scratch(few_scratch(few_layer(low, image.c, l.to.k, !bf16, nullptr)));
  own([=, this] {
    k.gather_phases({low.n, image.c, low.h, low.w}, at(s.dy), at(s.aux));
    float sums[4 * few_channels];
    Few g = few_layer(low, image.c, l.to.k, !bf16, scratched());
    k.few_grad(g, at(s.aux), at(s.x), kept(packed), nullptr, sums);
    unpack_few(l.to, false, k.lanes, kept(packed), kept(folded));
    l.unfold(kept(folded), dw);
    for (int o = 0; o < image.c; o++) db[o] = (sums[o] + sums[image.c + o]) + (sums[2 * image.c + o] + sums[3 * image.c + o]);
    if (s.dx < 0) return;
    l.fold(w, kept(folded));
    pack_few_to_many(l.to, false, true, k.lanes, kept(folded), kept(packed));
    k.few_to_many(g, at(s.aux), kept(packed), nullptr, act_none, at(s.dx));
  });
}
