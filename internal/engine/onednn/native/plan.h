// A plan: steps bound to tensors in one block of memory, and the net whose
// parameters they read and write.
#pragma once
#include <functional>
#include <stdexcept>
#include <vector>

#include "abreast.h"
#include "prims.h"
#include "shim.h"

// The parameters in one flat array, trained ones first, and the optimiser's state.
struct mn_net {
  size_t trained, running;
  moncae::Optimizer optimizer;
  std::vector<float> params, grads, s1, s2;
  std::vector<double> averages; // of batch statistics, not yet bias-corrected
  int64_t step = 0;

  mn_net(size_t trained, size_t running, moncae::Optimizer);
  void reset();
  void update(float rate);
  void correct(); // running averages of params from averages
};

namespace moncae {

// Where a step's data comes from, set for each call.
struct Batch {
  const uint8_t *images = nullptr;
  const float *features = nullptr;
  const int32_t *labels = nullptr, *rows = nullptr;
  int count = 0; // rows of the batch that are there; the others repeat the first
};

struct Step {
  int number; // of the lowered step that it belongs to
  std::function<void()> run;
};

} // namespace moncae

struct mn_plan {
  mn_net &net;
  const bool training;
  const bool bf16;
  const moncae::Kernels &k;
  const std::vector<mn_tensor> tensors;
  size_t bytes, scratch = 0; // of the block without scratch; of the scratch
  char *block = nullptr;
  moncae::Batch batch;
  std::vector<int32_t> labels;
  double loss = 0;

  // Before every call of an inference plan run what depends on the parameters
  // alone; in training that is part of every step.
  std::vector<moncae::Step> prologue, steps;
  bool profile = false;
  std::vector<double> seconds; // by lowered step, then the optimiser's

  mn_plan(mn_net &, bool training, const mn_tensor *, int n, size_t arena);
  mn_plan(const mn_plan &) = delete;

  void add(const mn_step &);
  void bind(void *block);
  void run(std::vector<moncae::Step> &);
  void update(float rate);

  moncae::Shape shape(int t) const { return {tensors.at(t).n, tensors.at(t).c, tensors.at(t).h, tensors.at(t).w}; }
  template <class T = void> T *at(int t) const { return t < 0 ? nullptr : (T *)(block + tensors[t].offset); }
  template <class T = float> T *kept(size_t offset) const { return (T *)(block + offset); }
  float *scratched() const { return (float *)(block + bytes); }

private:
  struct Binding {
    dnnl::memory memory;
    size_t offset;
  };
  int number = 0; // of the step being added
  dnnl::stream stream;
  std::vector<Binding> bindings;
  std::vector<dnnl::memory> memories, scratches;
  std::vector<moncae::Shared> held;

  void own(std::function<void()> f) { steps.push_back({number, std::move(f)}); }
  void weigh(std::function<void()> f) { (training ? steps : prologue).push_back({number, std::move(f)}); }
  void need_scratch(size_t floats);
  size_t keep(size_t bytes); // a place in the block that lasts
  dnnl::memory inside(const dnnl::memory::desc &, size_t offset);
  dnnl::memory outside(const dnnl::memory::desc &, float *);
  std::function<void()> call(const dnnl::primitive &, const dnnl::memory::desc &scratch, std::vector<std::pair<int, dnnl::memory>>);
  bool is_float(int t) const { return tensors.at(t).bytes_per_value == 4; }

  // Values in the net's arrays, or in the block.
  struct Place {
    float *fixed;
    size_t offset;
  };
  float *pointer(Place p) const { return p.fixed ? p.fixed : kept(p.offset); }
  dnnl::memory memory_at(const dnnl::memory::desc &d, Place p) { return p.fixed ? outside(d, p.fixed) : inside(d, p.offset); }

  moncae::Linear linear(const mn_step &, int x, int y) const;
  void fold(const mn_step &, const moncae::Linear &, Place &weights, Place &bias);
  size_t widened(int tensor);
  Place none(int values);
  dnnl::memory packed(const moncae::Shared &, Place weights);

  void input(const mn_step &);
  void forward(const mn_step &);
  void grad_weight(const mn_step &);
  void grad_input(const mn_step &);
  bool grad_weight_by_patches(const mn_step &, const moncae::Linear &);
  bool abreast(const moncae::Linear &, moncae::Way, bool wide, moncae::Abreast &);
  bool abreast_float(const mn_step &, const moncae::Linear &, Place weights, Place bias);
  void few_forward(const mn_step &, const moncae::Linear &, Place weights, Place bias);
  void few_grad_weight(const mn_step &, const moncae::Linear &);
  void few_grad_input(const mn_step &, const moncae::Linear &);
  moncae::Linear phase_layer(const mn_step &, const moncae::Shape &low, const moncae::Shape &image, int phase) const;
  dnnl::memory phase_of(int tensor, const dnnl::memory::desc &, int phase);
  void up_abreast_forward(const mn_step &, const moncae::Abreast &);
  void up_abreast_grad(const mn_step &, const moncae::Abreast &);
  void up_few_forward(const mn_step &);
  void up_few_grad(const mn_step &);
  void up_forward(const mn_step &);
  void up_grad_weight(const mn_step &);
  void up_grad_input(const mn_step &);
  void point(const mn_step &);
  void point_grad(const mn_step &);
  void dropout(const mn_step &);
  void dropout_grad(const mn_step &);
  void noise(const mn_step &);
  void bias_grad(const mn_step &);
  void add_tensors(const mn_step &);
  void widen(const mn_step &);
  void loss_step(const mn_step &);
};
