#include "prims.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <time.h>
#include <vector>

namespace moncae {

using dnnl::memory;
using type = memory::data_type;
using tag = memory::format_tag;

const dnnl::engine &cpu() {
  static const dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

namespace {

enum Pass { forward, grad_input, grad_weight, activate, by_patches };
using Key = std::array<int, 17>;

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha;
};
Eltwise eltwise(Act act) {
  switch (act) {
  case act_none: break;
  case act_relu: return {dnnl::algorithm::eltwise_relu, 0};
  case act_sigmoid: return {dnnl::algorithm::eltwise_logistic, 0};
  case act_leaky: return {dnnl::algorithm::eltwise_relu, leaky_slope};
  case act_elu: return {dnnl::algorithm::eltwise_elu, 1};
  case act_silu: return {dnnl::algorithm::eltwise_swish, 1};
  }
  return {dnnl::algorithm::undef, 0};
}

dnnl::primitive_attr attributes(Act act) {
  dnnl::primitive_attr a;
  a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (!act) return a;
  dnnl::post_ops ops;
  ops.append_eltwise(eltwise(act).algorithm, eltwise(act).alpha, 0);
  a.set_post_ops(ops);
  return a;
}

// The memory descriptors that all passes of one layer share.
struct Descs {
  memory::desc x, y, weights, gradient, bias, plain;
  memory::dims stride, before, after;

  explicit Descs(const Linear &l) {
    type t = l.bf16 ? type::bf16 : type::f32, ty = l.y_float ? type::f32 : t;
    int kh = l.kernel ? l.kernel : l.x.h, kw = l.kernel ? l.kernel : l.x.w;
    memory::dims w{l.y.c, l.x.c, kh, kw};
    x = {{l.x.n, l.x.c, l.x.h, l.x.w}, t, tag::nhwc};
    y = l.kernel ? memory::desc({l.y.n, l.y.c, l.y.h, l.y.w}, ty, tag::nhwc) : memory::desc({l.y.n, l.y.c}, ty, tag::nc);
    weights = {w, t, tag::any}, gradient = {w, type::f32, tag::any};
    plain = {w, type::f32, tag::oihw}, bias = {{l.y.c}, type::f32, tag::a};
    stride = {l.stride, l.stride}, before = {l.pads.top, l.pads.left}, after = {l.pads.bottom, l.pads.right};
  }
};

// complete fills in what a primitive descriptor decided: layouts and scratch.
template <class PD> void complete(Primitive &p, const PD &pd, const Descs &d, const memory::desc &packed, bool unpack) {
  p.x = d.x, p.y = d.y, p.plain = d.plain, p.bias = d.bias, p.packed = packed;
  p.scratch = pd.scratchpad_desc();
  p.reordered = packed != d.plain;
  if (!p.reordered) return;
  auto a = attributes(act_none);
  auto r = unpack ? dnnl::reorder::primitive_desc(cpu(), packed, cpu(), d.plain, a) : dnnl::reorder::primitive_desc(cpu(), d.plain, cpu(), packed, a);
  p.reorder = dnnl::reorder(r);
  p.reorder_scratch = r.scratchpad_desc();
}

dnnl::convolution_forward::primitive_desc conv(const Descs &d, Act act) {
  return {cpu(), dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, d.x, d.weights, d.bias, d.y, d.stride, d.before, d.after, attributes(act)};
}
dnnl::inner_product_forward::primitive_desc dense(const Descs &d, Act act) {
  return {cpu(), dnnl::prop_kind::forward_training, d.x, d.weights, d.bias, d.y, attributes(act)};
}

void make_forward(Primitive &p, const Linear &l, const Descs &d) {
  if (l.kernel) {
    auto pd = conv(d, l.act);
    p.run = dnnl::convolution_forward(pd);
    return complete(p, pd, d, pd.weights_desc(), false);
  }
  auto pd = dense(d, l.act);
  p.run = dnnl::inner_product_forward(pd);
  complete(p, pd, d, pd.weights_desc(), false);
}

void make_grad_input(Primitive &p, const Linear &l, const Descs &d) {
  if (l.kernel) {
    dnnl::convolution_backward_data::primitive_desc pd(cpu(), dnnl::algorithm::convolution_direct, d.x, d.weights, d.y, d.stride, d.before, d.after, conv(d, act_none), attributes(act_none));
    p.run = dnnl::convolution_backward_data(pd);
    return complete(p, pd, d, pd.weights_desc(), false);
  }
  dnnl::inner_product_backward_data::primitive_desc pd(cpu(), d.x, d.weights, d.y, dense(d, act_none), attributes(act_none));
  p.run = dnnl::inner_product_backward_data(pd);
  complete(p, pd, d, pd.weights_desc(), false);
}

void make_grad_weight(Primitive &p, const Linear &l, const Descs &d) {
  if (l.kernel) {
    dnnl::convolution_backward_weights::primitive_desc pd(cpu(), dnnl::algorithm::convolution_direct, d.x, d.gradient, d.bias, d.y, d.stride, d.before, d.after, conv(d, act_none), attributes(act_none));
    p.run = dnnl::convolution_backward_weights(pd);
    return complete(p, pd, d, pd.diff_weights_desc(), true);
  }
  dnnl::inner_product_backward_weights::primitive_desc pd(cpu(), d.x, d.gradient, d.bias, d.y, dense(d, act_none), attributes(act_none));
  p.run = dnnl::inner_product_backward_weights(pd);
  complete(p, pd, d, pd.diff_weights_desc(), true);
}

void make_activation(Primitive &p, const Linear &l, const Descs &d) {
  dnnl::eltwise_forward::primitive_desc pd(cpu(), dnnl::prop_kind::forward_training, eltwise(l.act).algorithm, d.y, d.y, eltwise(l.act).alpha, 0.f, attributes(act_none));
  p.run = dnnl::eltwise_forward(pd);
  p.y = d.y, p.scratch = pd.scratchpad_desc();
}

void make_patches(Primitive &p, const Linear &l) {
  Patches t(l);
  memory::dim rows = t.rows, columns = t.columns;
  p.y = {{l.y.c, rows}, type::f32, tag::ba};
  p.x = {{rows, columns}, type::f32, tag::ab};
  p.packed = {{l.y.c, columns}, type::f32, tag::ab};
  dnnl::matmul::primitive_desc pd(cpu(), p.y, p.x, p.packed, attributes(act_none));
  p.run = dnnl::matmul(pd);
  p.scratch = pd.scratchpad_desc();
}

class Cache {
  std::mutex mutex;
  std::map<Key, Shared> made;

  void shrink() {
    if (made.size() <= 1024) return;
    for (auto i = made.begin(); i != made.end();) i = i->second.use_count() == 1 ? made.erase(i) : std::next(i);
  }

public:
  Shared get(Pass pass, const Linear &l) {
    Key key{pass, l.x.n, l.x.c, l.x.h, l.x.w, l.y.c, l.y.h, l.y.w, l.kernel, l.stride, l.pads.top, l.pads.left, l.pads.bottom, l.pads.right, l.act, l.bf16, l.y_float};
    std::lock_guard<std::mutex> lock(mutex);
    if (auto found = made.find(key); found != made.end()) return found->second;
    auto p = std::make_shared<Primitive>();
    Descs d(l);
    if (pass == forward) make_forward(*p, l, d);
    else if (pass == grad_input) make_grad_input(*p, l, d);
    else if (pass == grad_weight) make_grad_weight(*p, l, d);
    else if (pass == by_patches) make_patches(*p, l);
    else make_activation(*p, l, d);
    shrink();
    return made[key] = p;
  }
};

Cache &cache() {
  static Cache c;
  return c;
}

} // namespace

Shared linear_forward(const Linear &l) { return cache().get(forward, l); }
Shared linear_grad_input(const Linear &l) { return cache().get(grad_input, l); }
Shared linear_grad_weight(const Linear &l) { return cache().get(grad_weight, l); }
Shared activation(const Linear &l) { return cache().get(activate, l); }
Shared patches_grad_weight(const Linear &l) { return cache().get(by_patches, l); }

Patches::Patches(const Linear &l) : rows(l.y.pixels()) {
  auto reach = [&](int in, int out, int pad, int &first, int &count) {
    int last = -1;
    first = l.kernel;
    for (int tap = 0; tap < l.kernel; tap++)
      for (int o = 0; o < out; o++)
        if (int i = o * l.stride + tap - pad; i >= 0 && i < in) first = std::min(first, tap), last = tap;
    count = last - first + 1;
  };
  reach(l.x.h, l.y.h, l.pads.top, top, h);
  reach(l.x.w, l.y.w, l.pads.left, left, w);
  columns = size_t(h) * w * l.x.c;
}

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

double gemm_peak(bool bf16) {
  constexpr int n = 1024;
  type t = bf16 ? type::bf16 : type::f32;
  memory::desc plain({n, n}, t, tag::ab), any({n, n}, t, tag::any);
  dnnl::matmul::primitive_desc pd(cpu(), plain, any, plain);
  dnnl::matmul product(pd);
  dnnl::stream stream(cpu());
  memory a(plain, cpu()), b(pd.weights_desc(), cpu()), c(plain, cpu());
  for (auto &m : {a, b}) std::memset(m.get_data_handle(), 0, m.get_desc().get_size());
  double best = 0;
  for (int i = 0; i < 8; i++) {
    double start = thread_seconds();
    product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    best = std::max(best, 2.0 * n * n * n / (thread_seconds() - start) / 1e9);
  }
  return best;
}

} // namespace moncae
