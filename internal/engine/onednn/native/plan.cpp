#include "few.h"
#include "plan.h"

#include <cmath>

using namespace moncae;
using dnnl::memory;

mn_net::mn_net(size_t trained, size_t running, Optimizer o)
    : trained(trained), running(running), optimizer(o), params(trained + running), grads(trained), s1(trained),
      s2(o == opt_adam || o == opt_adadelta ? trained : 0), averages(running) {
  reset();
}

void mn_net::reset() {
  step = 0;
  std::fill(s1.begin(), s1.end(), optimizer == opt_adagrad ? .1f : 0.f);
  std::fill(s2.begin(), s2.end(), 0.f);
  std::fill(averages.begin(), averages.end(), 0.);
}

void mn_net::update(float rate) {
  step++;
  kernels(false).update({optimizer, trained, rate, step, params.data(), s1.data(), s2.data(), grads.data()});
}

void mn_net::correct() {
  if (!step) return;
  double share = 1 - std::pow(.9, double(step));
  for (size_t i = 0; i < running; i++) params[trained + i] = float(averages[i] / share);
}

static bool any_bf16(const mn_tensor *t, int n) {
  for (int i = 0; i < n; i++)
    if (t[i].bytes_per_value == 2) return true;
  return false;
}

mn_plan::mn_plan(mn_net &net, bool training, const mn_tensor *t, int n, size_t arena)
    : net(net), training(training), bf16(any_bf16(t, n)), k(kernels(bf16)), tensors(t, t + n), bytes((arena + 63) / 64 * 64), seconds(1), stream(cpu()) {}

void mn_plan::need_scratch(size_t floats) { scratch = std::max(scratch, floats * sizeof(float)); }

size_t mn_plan::keep(size_t n) {
  size_t at = bytes;
  bytes += (n + 63) / 64 * 64;
  return at;
}

memory mn_plan::inside(const memory::desc &d, size_t offset) {
  memory m(d, cpu(), DNNL_MEMORY_NONE);
  bindings.push_back({m, offset});
  return m;
}

memory mn_plan::outside(const memory::desc &d, float *p) {
  memories.emplace_back(d, cpu(), p);
  return memories.back();
}

std::function<void()> mn_plan::call(const dnnl::primitive &p, const memory::desc &s, std::vector<std::pair<int, memory>> with) {
  if (s.get_size()) {
    memory m(s, cpu(), DNNL_MEMORY_NONE);
    scratches.push_back(m);
    with.push_back({DNNL_ARG_SCRATCHPAD, m});
    need_scratch(s.get_size() / sizeof(float) + 1);
  }
  std::vector<dnnl_exec_arg_t> arguments;
  for (auto &[argument, m] : with) {
    arguments.push_back({argument, m.get()});
    memories.push_back(m);
  }
  return [this, p, arguments] {
    dnnl::error::wrap_c_api(dnnl_primitive_execute(p.get(), stream.get(), int(arguments.size()), arguments.data()), "a oneDNN primitive failed");
  };
}

void mn_plan::bind(void *b) {
  block = (char *)b;
  for (auto &[m, offset] : bindings) m.set_data_handle(block + offset);
  for (auto &m : scratches) m.set_data_handle(scratched());
}

void mn_plan::run(std::vector<Step> &list) {
  if (!profile) {
    for (auto &s : list) s.run();
    return;
  }
  for (auto &s : list) {
    double start = thread_seconds();
    s.run();
    seconds[s.number] += thread_seconds() - start;
  }
}

void mn_plan::update(float rate) {
  double start = profile ? thread_seconds() : 0;
  net.update(rate);
  if (profile) seconds.back() += thread_seconds() - start;
}

void mn_plan::add(const mn_step &s) {
  number = int(seconds.size()) - 1;
  seconds.push_back(0);
  switch (s.kind) {
  case MN_INPUT: return input(s);
  case MN_CONV: case MN_DENSE: return forward(s);
  case MN_CONV_GRAD_WEIGHT: case MN_DENSE_GRAD_WEIGHT: return grad_weight(s);
  case MN_CONV_GRAD_INPUT: case MN_DENSE_GRAD_INPUT: return grad_input(s);
  case MN_POINT: return point(s);
  case MN_POINT_GRAD: return point_grad(s);
  case MN_DROPOUT: return dropout(s);
  case MN_DROPOUT_GRAD: return dropout_grad(s);
  case MN_NOISE: return noise(s);
  case MN_BIAS_GRAD: return bias_grad(s);
  case MN_ADD: return add_tensors(s);
  case MN_WIDEN: return widen(s);
  case MN_LOSS: return loss_step(s);
  case MN_UP_CONV: return up_forward(s);
  case MN_UP_CONV_GRAD:
    if (Abreast g; abreast(linear(s, s.x, s.dy), way_grad_weight, false, g)) return up_abreast_grad(s, g);
    if (shape(s.dy).c <= few_channels) return up_few_grad(s);
    up_grad_weight(s);
    return up_grad_input(s);
  }
  throw std::logic_error("a step of unknown kind");
}
