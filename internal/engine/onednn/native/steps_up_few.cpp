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

// each_pixel calls f(place in the image, place among the phases' channels).
template <class F> void each_pixel(const Shape &image, F call) {
  int c = image.c, h = image.h / 2, w = image.w / 2;
  size_t at = 0;
  for (int n = 0; n < image.n; n++)
    for (int y = 0; y < image.h; y++)
      for (int x = 0; x < image.w; x++)
        for (int o = 0; o < c; o++) call(at++, (((size_t(n) * h + y / 2) * w + x / 2) * 4 + (y & 1) * 2 + (x & 1)) * c + o);
}

Few few_layer(const Shape &low, int filters, int kernel, float *scratch) { return {{low.n, 4 * filters, low.h, low.w}, low, kernel, scratch}; }

} // namespace

void mn_plan::up_few_forward(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.y);
  Phased l(s.kernel, image.c, low.c);
  Place w{net.params.data() + s.weight, 0}, b{net.params.data() + s.bias, 0};
  if (s.norm) fold(s, linear(s, s.x, s.y), w, b);
  size_t folded = keep(l.to.values() * sizeof(float)), packed = keep(few_values(l.to, k.lanes) * sizeof(float)), bias = keep(l.to.o * sizeof(float));
  need_scratch(few_scratch(few_layer(low, image.c, l.to.k, nullptr)));
  need_scratch(point_scratch(image));
  weigh([=, this] {
    l.fold(pointer(w), kept(folded));
    pack_many_few(l.to, true, false, k.lanes, kept(folded), kept(packed));
    for (int o = 0; o < l.to.o; o++) kept(bias)[o] = pointer(b)[o % image.c];
  });
  own([=, this] {
    float *phases = at<float>(s.aux), *y = at<float>(s.y);
    k.many_to_few(few_layer(low, image.c, l.to.k, scratched()), at(s.x), kept(packed), kept(bias), phases);
    each_pixel(image, [=](size_t i, size_t j) { y[i] = phases[j]; });
    if (s.act) kernels(false).forward({image, image, y, nullptr, nullptr, Act(s.act), plain, y, nullptr, scratched()});
  });
}

void mn_plan::up_few_grad(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.dy);
  Phased l(s.kernel, image.c, low.c);
  const float *w = net.params.data() + s.weight;
  float *dw = net.grads.data() + s.weight, *db = net.grads.data() + s.bias;
  size_t folded = keep(l.to.values() * sizeof(float)), packed = keep(few_values(l.to, k.lanes) * sizeof(float));
  need_scratch(few_scratch(few_layer(low, image.c, l.to.k, nullptr)));
  own([=, this] {
    if (bf16) each_pixel(image, [from = at<uint16_t>(s.dy), to = at<uint16_t>(s.aux)](size_t i, size_t j) { to[j] = from[i]; });
    else each_pixel(image, [from = at<float>(s.dy), to = at<float>(s.aux)](size_t i, size_t j) { to[j] = from[i]; });
    float sums[4 * few_channels];
    Few g = few_layer(low, image.c, l.to.k, scratched());
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
