// The kernels of one instruction set, included with ISA defined by isa_*.cpp
// after its target pragma. Nothing but builtins is used, for a library's inline
// function compiled here for one processor could be linked in for another.
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#pragma GCC diagnostic ignored "-Wpsabi"
#include "kernels.h"

namespace moncae::ISA {
#include "kernel_base.hpp"
#include "kernel_act.hpp"
#include "kernel_norm.hpp"
#include "kernel_resample.hpp"
#include "kernel_forward.hpp"
#include "kernel_backward.hpp"
#include "kernel_loss.hpp"
#include "kernel_blend.hpp"
#include "kernel_step.hpp"
#include "kernel_phase.hpp"
#include "kernel_few.hpp"
#include "kernel_abreast.hpp"

template <class T> constexpr Kernels table() {
  return {moments<T>, sums<T>, forward<T>, backward<T>, add<T>, widen<T>, activation<T>, dropout<T>, dropout_grad<T>, noise<T>, images<T>, features<T>,
          interleave<T>, deinterleave<T>, spread_phases<T>, gather_phases<T>, sum4<T>, few_to_many<T>, many_to_few<T>, few_grad<T>, abreast, pixel_loss<T>, class_loss<T>, blend_loss<T>, similarities, pixel_sums, sigmoid, update, lanes};
}
extern const Kernels kernels_f32, kernels_bf16;
const Kernels kernels_f32 = table<float>(), kernels_bf16 = table<bf16>();
} // namespace moncae::ISA
