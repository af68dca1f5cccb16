// oneDNN's primitives by shape, made once for all plans of the process.
//
// Making one costs up to some milliseconds (code is generated), so they are
// kept; those that no plan holds go when there are more than 1024. A primitive
// has no state: any number of threads may run one at the same time, each with
// its own scratch. All functions throw dnnl::error.
#pragma once
#include <array>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "kernels.h"

namespace moncae {

struct Pads {
  int top, left, bottom, right;
};

// What a convolution or dense layer is: x → y. A dense layer has kernel 0.
struct Linear {
  Shape x, y;
  int kernel, stride;
  Pads pads;
  Act act;      // applied in the forward pass
  bool bf16;    // activations and packed weights are bfloat16
  bool y_float; // y is float32 even so
};

// A primitive with the reorder between its own layout of the weights and plain
// OIHW float32, where they differ.
struct Primitive {
  dnnl::primitive run, reorder;
  dnnl::memory::desc x, y, plain, packed, bias;
  bool reordered = false;
  dnnl::memory::desc scratch, reorder_scratch;
};
using Shared = std::shared_ptr<const Primitive>;

Shared linear_forward(const Linear &);
Shared linear_grad_input(const Linear &);
Shared linear_grad_weight(const Linear &); // and bias
Shared activation(const Linear &);         // its own, of y in float32

// The pixels of x that a convolution's outputs see, a row of a matrix for each output: of
// the kernel's taps those that meet an image at all, x.c values each.
struct Patches {
  int top, left, h, w; // the taps, of the kernel's rows and columns
  size_t rows, columns;
  explicit Patches(const Linear &);
};
// The gradient of the weights as a matrix product: patches by the gradient of y, to
// [y.c][columns].
Shared patches_grad_weight(const Linear &);

const dnnl::engine &cpu();
// Processor time of the calling thread, so that a profile tells what steps cost
// and not what else the machine did.
double thread_seconds();
double gemm_peak(bool bf16); // gigaflops of a square matrix product on the calling thread

} // namespace moncae
