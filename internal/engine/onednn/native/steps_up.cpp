// A convolution over an image that was upsampled by two, without that image.
//
// Of the k rows of the kernel, several fall on the same row of the small image,
// and which do depends only on the parity of the output's row. So each of the
// output's four phases (row parity, column parity) is a convolution of the small
// image with a kernel of (k+1)/2 a side, the sums of the weights that fall
// together: a third to a half of the multiply-adds. Both sides of the upsampled
// image are even here; k is odd, the padding k/2.
#include "few.h"
#include "phases.h"
#include "plan.h"

using namespace moncae;
using dnnl::memory;

Linear mn_plan::phase_layer(const mn_step &s, const Shape &low, const Shape &image, int phase) const {
  Folding f(s.kernel);
  int y = phase / 2, x = phase % 2;
  return {low, {low.n, image.c, low.h, low.w}, f.side(), 1, {f.before(y), f.before(x), f.after(y), f.after(x)}, Act(s.act), bf16, false};
}

// phase_of is one of the four phases, of descriptor d, in a tensor of them.
memory mn_plan::phase_of(int tensor, const memory::desc &d, int phase) { return inside(d, tensors[tensor].offset + phase * d.get_size()); }

void mn_plan::up_forward(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.y);
  if (Abreast g; abreast(linear(s, s.x, s.y), way_forward, is_float(s.y), g)) return up_abreast_forward(s, g);
  if (image.c <= few_channels) return up_few_forward(s);
  size_t pairs = size_t(low.c) * image.c;
  Folding f(s.kernel);
  Place w{net.params.data() + s.weight, 0}, b{net.params.data() + s.bias, 0};
  if (s.norm) fold(s, linear(s, s.x, s.y), w, b);
  for (int phase = 0; phase < 4; phase++) {
    Shared p = linear_forward(phase_layer(s, low, image, phase));
    held.push_back(p);
    Place folded{nullptr, keep(pairs * f.side() * f.side() * sizeof(float))};
    weigh([=, this] { moncae::fold(f, pairs, phase, pointer(w), pointer(folded)); });
    memory weights = packed(p, folded);
    own(call(p->run, p->scratch, {{DNNL_ARG_SRC, inside(p->x, tensors[s.x].offset)}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, memory_at(p->bias, b)}, {DNNL_ARG_DST, phase_of(s.aux, p->y, phase)}}));
  }
  own([=, this] { k.interleave({low.n, image.c, low.h, low.w}, at(s.aux), at(s.y)); });
}

void mn_plan::up_grad_weight(const mn_step &s) {
  Shape low = shape(s.x), image = shape(s.dy);
  size_t pairs = size_t(low.c) * image.c, weights = pairs * s.kernel * s.kernel;
  Folding f(s.kernel);
  float *dw = net.grads.data() + s.weight, *db = net.grads.data() + s.bias;
  own([=, this] {
    k.deinterleave({low.n, image.c, low.h, low.w}, at(s.dy), at(s.aux));
    std::fill(dw, dw + weights, 0.f);
    std::fill(db, db + image.c, 0.f);
  });
  for (int phase = 0; phase < 4; phase++) {
    Shared p = linear_grad_weight(phase_layer(s, low, image, phase));
    held.push_back(p);
    size_t plain = keep(p->plain.get_size()), bias = keep(p->bias.get_size());
    memory out = inside(p->reordered ? p->packed : p->plain, p->reordered ? keep(p->packed.get_size()) : plain);
    own(call(p->run, p->scratch, {{DNNL_ARG_SRC, inside(p->x, tensors[s.x].offset)}, {DNNL_ARG_DIFF_DST, phase_of(s.aux, p->y, phase)}, {DNNL_ARG_DIFF_WEIGHTS, out}, {DNNL_ARG_DIFF_BIAS, inside(p->bias, bias)}}));
    if (p->reordered) own(call(p->reorder, p->reorder_scratch, {{DNNL_ARG_FROM, out}, {DNNL_ARG_TO, inside(p->plain, plain)}}));
    own([=, this] {
      const float *sums = kept(bias);
      moncae::unfold(f, pairs, phase, kept(plain), dw);
      for (int o = 0; o < image.c; o++) db[o] += sums[o];
    });
  }
}

// up_grad_input follows up_grad_weight, which has left dy's phases in aux.
void mn_plan::up_grad_input(const mn_step &s) {
  if (s.dx < 0) return;
  Shape low = shape(s.dx), image = shape(s.dy);
  size_t pairs = size_t(low.c) * image.c;
  Folding f(s.kernel);
  const float *weights = net.params.data() + s.weight;
  for (int phase = 0; phase < 4; phase++) {
    Shared p = linear_grad_input(phase_layer(s, low, image, phase));
    held.push_back(p);
    Place folded{nullptr, keep(pairs * f.side() * f.side() * sizeof(float))};
    own([=, this] { moncae::fold(f, pairs, phase, weights, pointer(folded)); });
    memory w = packed(p, folded);
    own(call(p->run, p->scratch, {{DNNL_ARG_DIFF_DST, phase_of(s.aux, p->y, phase)}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DIFF_SRC, phase_of(s.x2, p->x, phase)}}));
  }
  size_t n = low.values();
  own([=, this] { k.sum4(n, at(s.x2), at(s.dx)); });
}

// The same with images abreast, all phases in one pass.
void mn_plan::up_abreast_forward(const mn_step &s, const Abreast &g) {
  Folding f(s.kernel);
  size_t pairs = size_t(g.x.c) * g.y.c, weights = pairs * f.side() * f.side(), folded = keep(4 * weights * sizeof(float));
  const float *w = net.params.data() + s.weight, *b = net.params.data() + s.bias;
  own([=, this] {
    for (int phase = 0; phase < 4; phase++) moncae::fold(f, pairs, phase, w, kept(folded) + phase * weights);
    abreast_up_forward(g, at(s.x), kept(folded), b, at(s.y), scratched());
  });
}

void mn_plan::up_abreast_grad(const mn_step &s, const Abreast &g) {
  Folding f(s.kernel);
  size_t pairs = size_t(g.x.c) * g.y.c, weights = pairs * f.side() * f.side(), phases = keep(4 * weights * sizeof(float));
  const float *w = net.params.data() + s.weight;
  float *dw = net.grads.data() + s.weight, *db = net.grads.data() + s.bias;
  own([=, this] {
    abreast_up_grad_weight(g, at(s.x), at(s.dy), kept(phases), db, scratched());
    std::fill(dw, dw + pairs * s.kernel * s.kernel, 0.f);
    for (int phase = 0; phase < 4; phase++) moncae::unfold(f, pairs, phase, kept(phases) + phase * weights, dw);
    if (s.dx >= 0) abreast_up_grad_input(g, at(s.dy), w, at(s.dx), scratched());
  });
}
