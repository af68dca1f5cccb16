// Convolutions and dense layers: oneDNN's primitives with packed weights.
#include <algorithm>
#include <cmath>

#include "plan.h"
#include "few.h"

using namespace moncae;
using dnnl::memory;

Linear mn_plan::linear(const mn_step &s, int x, int y) const {
  bool dense = s.kind == MN_DENSE || s.kind == MN_DENSE_GRAD_WEIGHT || s.kind == MN_DENSE_GRAD_INPUT;
  int pad = dense ? 0 : s.kernel / 2;
  return {shape(x), shape(y), dense ? 0 : s.kernel, dense ? 1 : s.stride, {pad, pad, pad, pad}, Act(s.act), bf16, bf16 && is_float(y)};
}

// fold multiplies weights and bias by the scale of the norm that follows:
// outside training, gamma·(x − mean)/√(variance + ε) + beta is linear.
void mn_plan::fold(const mn_step &s, const Linear &l, Place &weights, Place &bias) {
  size_t outputs = l.y.c, inputs = size_t(l.x.c) * l.kernel * l.kernel;
  Place w{nullptr, keep(outputs * inputs * sizeof(float))}, b{nullptr, keep(outputs * sizeof(float))};
  const float *from = weights.fixed, *shift = bias.fixed, *p = net.params.data();
  const float *gamma = p + s.gamma, *beta = p + s.beta, *mean = p + s.mean, *variance = p + s.variance;
  weigh([=, this] {
    for (size_t o = 0; o < outputs; o++) {
      double scale = gamma[o] / std::sqrt(double(variance[o]) + norm_epsilon);
      for (size_t i = 0; i < inputs; i++) pointer(w)[o * inputs + i] = float(from[o * inputs + i] * scale);
      pointer(b)[o] = float((double(shift[o]) - mean[o]) * scale + beta[o]);
    }
  });
  weights = w, bias = b;
}

// packed gives weights in a primitive's own layout, by a reorder where it is not
// the plain one.
memory mn_plan::packed(const Shared &p, Place weights) {
  memory plain = memory_at(p->plain, weights);
  if (!p->reordered) return plain;
  memory m = inside(p->packed, keep(p->packed.get_size()));
  weigh(call(p->reorder, p->reorder_scratch, {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, m}}));
  return m;
}

// abreast tells whether a layer is for the kernels that have images abreast, and
// what it is to them.
bool mn_plan::abreast(const Linear &l, Way way, bool wide, Abreast &g) {
  g = {l.x, l.y, l.kernel, l.stride, l.pads.top, l.pads.left, l.act, wide};
  if (!l.bf16 || !l.kernel || !abreast_fits(g, way)) return false;
  need_scratch(abreast_scratch(g, true));
  return true;
}

// abreast_float is the forward pass in float32 with images abreast, to the bits of
// the kernels in whose place it is: few_to_many, or oneDNN's, which add the bias last,
// have activations of their own but for the piecewise linear ones, and another order
// where a side is smaller than the padding.
bool mn_plan::abreast_float(const mn_step &s, const Linear &l, Place weights, Place bias) {
  bool few = few_sided(l), padding = l.y.h < l.pads.top || l.y.w < l.pads.left, linear = l.act == act_none || l.act == act_relu || l.act == act_leaky;
  Abreast g{l.x, l.y, l.kernel, l.stride, l.pads.top, l.pads.left, few || linear ? l.act : act_none, true};
  if (l.bf16 || !l.kernel || (few ? l.x.c > few_channels : padding) || !abreast_fits_float(g, k.lanes)) return false;
  need_scratch(abreast_scratch(g, false));
  own([=, this] { k.abreast(g, at<float>(s.x), pointer(weights), pointer(bias), few, at<float>(s.y), scratched()); });
  if (g.act == l.act) return true;
  Shared p = activation(l);
  held.push_back(p);
  memory y = inside(p->y, tensors[s.y].offset);
  own(call(p->run, p->scratch, {{DNNL_ARG_SRC, y}, {DNNL_ARG_DST, y}}));
  return true;
}

// none is a bias of zeros.
mn_plan::Place mn_plan::none(int values) {
  Place p{nullptr, keep(values * sizeof(float))};
  weigh([=, this] { std::fill_n(pointer(p), values, 0.f); });
  return p;
}

void mn_plan::forward(const mn_step &s) {
  Linear l = linear(s, s.x, s.y);
  Place w{net.params.data() + s.weight, 0}, b = s.bias < 0 ? none(l.y.c) : Place{net.params.data() + s.bias, 0};
  if (s.norm) fold(s, l, w, b);
  if (Abreast g; abreast(l, way_forward, is_float(s.y), g)) return own([=, this] { abreast_forward(g, at(s.x), pointer(w), pointer(b), at(s.y), scratched()); });
  if (abreast_float(s, l, w, b)) return;
  if (few_sided(l)) return few_forward(s, l, w, b);
  Shared p = linear_forward(l);
  held.push_back(p);
  memory weights = packed(p, w);
  own(call(p->run, p->scratch, {{DNNL_ARG_SRC, inside(p->x, tensors[s.x].offset)}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, memory_at(p->bias, b)}, {DNNL_ARG_DST, inside(p->y, tensors[s.y].offset)}}));
}

void mn_plan::grad_input(const mn_step &s) {
  Linear l = linear(s, s.dx, s.dy);
  if (Abreast g; abreast(l, way_grad_input, is_float(s.dx), g)) return own([=, this] { abreast_grad_input(g, at(s.dy), net.params.data() + s.weight, at(s.dx), scratched()); });
  if (few_sided(l)) return few_grad_input(s, l);
  Shared p = linear_grad_input(l);
  held.push_back(p);
  memory weights = packed(p, {net.params.data() + s.weight, 0});
  own(call(p->run, p->scratch, {{DNNL_ARG_DIFF_DST, inside(p->y, tensors[s.dy].offset)}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, inside(p->x, tensors[s.dx].offset)}}));
}

// widened is the place of a tensor's copy in float32.
size_t mn_plan::widened(int tensor) {
  size_t n = shape(tensor).values(), to = keep(n * sizeof(float));
  own([=, this] { k.widen(n, at(tensor), kept(to)); });
  return to;
}

void mn_plan::grad_weight(const mn_step &s) {
  Linear l = linear(s, s.x, s.dy);
  Place db = s.bias < 0 ? Place{nullptr, keep(l.y.c * sizeof(float))} : Place{net.grads.data() + s.bias, 0}; // without a bias, nobody reads it
  if (Abreast g; abreast(l, way_grad_weight, false, g)) return own([=, this] { abreast_grad_weight(g, at(s.x), at(s.dy), net.grads.data() + s.weight, pointer(db), scratched()); });
  if (few_sided(l)) return few_grad_weight(s, l);
  if (grad_weight_by_patches(s, l)) return;
  size_t x_at = tensors[s.x].offset, dy_at = tensors[s.dy].offset;
  if (bf16 && l.stride > 1 && l.x.w == 1) { // oneDNN 3.2 reads past the single column in bfloat16
    l.bf16 = false;
    x_at = widened(s.x), dy_at = widened(s.dy);
  }
  Shared p = linear_grad_weight(l);
  held.push_back(p);
  memory plain = outside(p->plain, net.grads.data() + s.weight);
  memory weights = p->reordered ? inside(p->packed, keep(p->packed.get_size())) : plain;
  own(call(p->run, p->scratch, {{DNNL_ARG_SRC, inside(p->x, x_at)}, {DNNL_ARG_DIFF_DST, inside(p->y, dy_at)}, {DNNL_ARG_DIFF_WEIGHTS, weights}, {DNNL_ARG_DIFF_BIAS, memory_at(p->bias, db)}}));
  if (p->reordered) own(call(p->reorder, p->reorder_scratch, {{DNNL_ARG_FROM, weights}, {DNNL_ARG_TO, plain}}));
}
