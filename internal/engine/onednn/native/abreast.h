// Convolutions with images abreast, in bfloat16 with sixteen of them: an image of the batch is
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

enum Way { way_forward, way_grad_input, way_grad_weight };
// Whether these kernels are faster than oneDNN's: a static rule of the shape, and
// false where the processor or the chosen kernels lack bfloat16.
bool abreast_fits(const Abreast &, Way);
// The same for the forward pass in float32 (Kernels::abreast): where the channels
// that are written don't fill a vector of oneDNN's.
bool abreast_fits_float(const Abreast &, int lanes);
size_t abreast_scratch(const Abreast &, bool bf16); // floats, for every pass

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
