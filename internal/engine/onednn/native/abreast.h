// Convolutions in bfloat16 with sixteen images abreast: an image of the batch is
// a lane of a vector, so that no lane idles however few the channels are and
// however small the image. A vector holds two channels of a pixel, which the
// processor multiplies and adds in pairs.
//
// Images and gradients are NHWC as everywhere, weights OIHW float32; a call turns
// what it reads and writes, which costs little beside the multiply-adds. Weights
// are rounded to bfloat16, sums are float32 in an order that depends on shapes
// alone. Nothing is allocated.
#pragma once
#include "kernels.h"

namespace moncae {

// x → y. What lies below and right of x is what y's size needs.
struct Abreast {
  Shape x, y;
  int kernel, stride, top, left;
  Act act;   // of the forward pass
  bool wide; // what a pass writes is float32
};

bool abreast_usable(); // by this processor, and the chosen kernels
enum Way { way_forward, way_grad_input, way_grad_weight };
// Whether these kernels are faster than oneDNN's: a static rule of the shape.
bool abreast_fits(const Abreast &, Way);
size_t abreast_scratch(const Abreast &); // floats, for every pass

void abreast_forward(const Abreast &, const void *x, const float *w, const float *bias, void *y, float *scratch);
void abreast_grad_input(const Abreast &, const void *dy, const float *w, void *dx, float *scratch);
void abreast_grad_weight(const Abreast &, const void *x, const void *dy, float *dw, float *db, float *scratch);

// The same for a convolution of stride 1 over x upsampled by two, which is never
// written: y is twice as high and wide as x. `phases` are the four kernels of
// phases.h, OIHW each.
void abreast_up_forward(const Abreast &, const void *x, const float *phases, const float *bias, void *y, float *scratch);
void abreast_up_grad_input(const Abreast &, const void *dy, const float *w, void *dx, float *scratch);
void abreast_up_grad_weight(const Abreast &, const void *x, const void *dy, float *phases, float *db, float *scratch);

} // namespace moncae
