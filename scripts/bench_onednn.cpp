// Convolutions of small, medium and large (internal/arch/testdata) by whatever oneDNN
// this is linked to, at batch 16 and on one thread: microseconds of the process's
// processor time, the least of some trials, forward, input's and weights' gradient,
// in float32 and bfloat16. Two libraries' turns in one shell loop compare them; see
// docs/benchmarks.md.
#include <algorithm>
#include <cstdio>
#include <oneapi/dnnl/dnnl.hpp>
#include <time.h>

using namespace dnnl;
using type = memory::data_type;
using tag = memory::format_tag;

struct Layer {
  int in, out, kernel, side;
};
// Those with few channels on a side, and those that are folded into an upsampling, are moncae's own.
constexpr Layer layers[] = {{16, 8, 3, 14}, {8, 4, 3, 7}, {4, 4, 3, 7}, {4, 8, 3, 7}, {64, 32, 3, 14}, {32, 8, 3, 7}, {8, 8, 3, 7}, {8, 32, 3, 7}, {32, 64, 3, 14}, {128, 64, 3, 28}, {64, 32, 3, 14}, {32, 16, 3, 7}, {16, 32, 3, 7}, {64, 128, 5, 28}};

double seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

const engine &cpu() {
  static const engine e(engine::kind::cpu, 0);
  return e;
}

double least(stream &s, const primitive &p, const std::vector<std::pair<int, memory::desc>> &with) {
  std::unordered_map<int, memory> arguments;
  for (auto &[name, desc] : with) arguments[name] = memory(desc, cpu());
  double best = 1e9;
  for (int trial = 0; trial < 7; trial++) {
    const int runs = trial ? 8 : 1; // the first makes the code
    double start = seconds();
    for (int i = 0; i < runs; i++) p.execute(s, arguments);
    s.wait();
    best = std::min(best, (seconds() - start) / runs);
  }
  return 1e6 * best;
}

void measure(stream &s, const Layer &l, type t) {
  constexpr int batch = 16;
  memory::dims one{1, 1}, pad{l.kernel / 2, l.kernel / 2};
  memory::desc x({batch, l.in, l.side, l.side}, t, tag::nhwc), y({batch, l.out, l.side, l.side}, t, tag::nhwc);
  memory::desc w({l.out, l.in, l.kernel, l.kernel}, t, tag::any), dw({l.out, l.in, l.kernel, l.kernel}, type::f32, tag::any), b({l.out}, type::f32, tag::a);
  convolution_forward::primitive_desc forward(cpu(), prop_kind::forward_training, algorithm::convolution_direct, x, w, b, y, one, pad, pad);
  convolution_backward_data::primitive_desc data(cpu(), algorithm::convolution_direct, x, w, y, one, pad, pad, forward);
  convolution_backward_weights::primitive_desc weights(cpu(), algorithm::convolution_direct, x, dw, b, y, one, pad, pad, forward);
  printf("%d→%d %d×%d at %d %s: %.1f %.1f %.1f\n", l.in, l.out, l.kernel, l.kernel, l.side, t == type::f32 ? "f32" : "bf16",
         least(s, convolution_forward(forward), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}}),
         least(s, convolution_backward_data(data), {{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_WEIGHTS, data.weights_desc()}, {DNNL_ARG_DIFF_SRC, x}}),
         least(s, convolution_backward_weights(weights), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc()}, {DNNL_ARG_DIFF_BIAS, b}}));
}

int main() {
  printf("oneDNN %d.%d.%d\n", version()->major, version()->minor, version()->patch);
  stream s(cpu());
  for (const Layer &l : layers)
    for (type t : {type::f32, type::bf16}) measure(s, l, t);
}
