// The project's own kernels, for what oneDNN has not, or has slowly: batch
// norm, activation and resampling in one pass, losses, optimisers, dropout,
// gathering, and convolutions with one to three channels on a side.
//
// Activations are NHWC, float32 or bfloat16; sums are float32 within a few dozen
// values and float64 across them, always in the same order. Kernels run on the
// calling thread, allocate nothing and take their scratch from the caller. They
// are compiled once for each instruction set (isa_*.cpp) and chosen at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace moncae {

enum Act : int32_t { act_none, act_relu, act_sigmoid, act_leaky, act_elu, act_silu };
enum Resample : int32_t { plain, pool, upsample };
enum Optimizer : int32_t { opt_adam, opt_rmsprop, opt_adagrad, opt_adadelta, opt_sgd };
enum Loss : int32_t { loss_bce, loss_mse, loss_cross_entropy, loss_blend };

constexpr float norm_epsilon = 1e-3f, leaky_slope = 0.01f;
constexpr int gaussian_window = 11; // of structural similarity

struct Shape {
  int n, c, h, w;
  size_t pixels() const { return size_t(n) * h * w; }
  size_t values() const { return pixels() * c; }
};

// y = resample(act(x·scale + shift)); in is x's shape, out is y's. scale and
// shift are one value a channel, or null. index takes the place of each maximum
// in its window (0 to 3, row-major) where it is wanted.
struct Forward {
  Shape in, out;
  const void *x;
  const float *scale, *shift;
  Act act;
  Resample resample;
  void *y;
  uint8_t *index;
  float *scratch;
};

// The way back through Forward, and through the activation `before` it: dx from
// dy. With a norm (mean not null) x is the norm's input and dgamma and dbeta are
// written. y is Forward's output; SiLU reads x, its own input, instead. dx may be
// dy where nothing is resampled.
struct Backward {
  Shape in, out;
  const void *dy, *y, *x;
  const uint8_t *index;
  Act act, before;
  Resample resample;
  const float *mean, *inverse, *gamma;
  float *dgamma, *dbeta;
  void *dx;
  float *scratch;
};

// A convolution of stride 1 between an image of few channels and one of many.
// The forward pass of few → many and the input's gradient of many → few are one
// kernel, and so are the two gradients of the weights.
struct Few {
  Shape few, many; // n, h, w are alike
  int kernel;
  bool wide;      // what a pass writes is float32, whatever activations are
  float *scratch; // few_scratch floats
};

// A convolution with images abreast (abreast.h, kernel_abreast.hpp): x → y. What
// lies below and right of x is what y's size needs.
struct Abreast {
  Shape x, y;
  int kernel, stride, top, left;
  Act act;   // of the forward pass
  bool wide; // what a pass writes is float32
};

struct Philox {
  uint64_t seed, step;
  uint32_t layer;
  float rate, scale; // the rate is sigma where there is noise
};

struct Blend { // weights of losses
  double bce, mse, ssim;
};

struct Update { // the flat arrays of an optimiser
  Optimizer kind;
  size_t n;
  float rate;
  int64_t step; // 1 in the first step
  float *w, *s1, *s2;
  const float *g;
};

struct Kernels {
  void (*moments)(size_t rows, int c, const void *x, float *mean, float *variance, float *scratch);
  void (*sums)(size_t rows, int c, const void *x, float *sum, float *scratch);
  void (*forward)(const Forward &);
  void (*backward)(const Backward &);
  void (*add)(size_t n, const void *a, const void *b, void *y);
  void (*widen)(size_t n, const void *x, float *y);
  void (*activate)(Act, size_t n, const float *x, void *y);
  void (*dropout)(const Shape &, const Philox &, const void *x, void *y, uint8_t *mask, uint8_t *scratch);
  void (*dropout_grad)(size_t n, float scale, const uint8_t *mask, const void *dy, void *dx);
  // noise: y is x with normal noise, clamped to [0, 1]; scratch holds one image.
  void (*noise)(const Shape &, const Philox &, const void *x, void *y, float *scratch);
  void (*images)(const Shape &, const uint8_t *nchw, uint8_t *bytes, void *x, size_t at);
  void (*features)(const Shape &, const float *nchw, void *x, size_t at);
  // Between an image and its four phases [row parity][column parity][n][h][w][c],
  // h and w half of the image's; sum4 adds four arrays that lie one after the other.
  void (*interleave)(const Shape &phase, const void *phases, void *image);
  void (*deinterleave)(const Shape &phase, const void *image, void *phases);
  // The same with phases as channels, [n][h][w][row parity][column parity][c].
  void (*spread_phases)(const Shape &phase, const void *phases, void *image);
  void (*gather_phases)(const Shape &phase, const void *image, void *phases);
  void (*sum4)(size_t n, const void *parts, void *sum);
  // few_to_many: weights [kernel·kernel·few][many] padded to lanes, bias may be null.
  void (*few_to_many)(const Few &, const void *few, const float *w, const float *bias, Act, void *many);
  void (*many_to_few)(const Few &, const void *many, const float *w, const float *bias, void *few);
  // dw: [tap·few][many] with tap (i, j) pairing many at (h, w) with few at
  // (h+i−p, w+j−p); many_sum and few_sum (either may be null) are the sums of all.
  void (*few_grad)(const Few &, const void *few, const void *many, float *dw, float *many_sum, float *few_sum);
  // The forward pass in float32, weights OIHW, of as many images abreast as `lanes`
  // says. A value is the chain of multiply-adds over the kernel's rows, columns and channels,
  // begun with the bias or ended by it.
  void (*abreast)(const Abreast &, const float *x, const float *w, const float *bias, bool bias_first, float *y, float *scratch);
  // Losses give the sum over all values; dz is scaled by `scale`.
  double (*pixel_loss)(Loss, size_t n, const float *z, const uint8_t *target, float scale, void *dz);
  double (*class_loss)(size_t n, int classes, const float *z, const int32_t *labels, float scale, void *dz);
  // blend_loss gives the mean, and its gradient; its scratch is ten images in float64.
  double (*blend_loss)(const Blend &, const Shape &, const float *z, const uint8_t *target, void *dz, double *scratch);
  // The sum of the first count images' structural similarities; scratch as above.
  double (*similarities)(const Shape &, int count, const float *z, const uint8_t *target, double *scratch);
  void (*pixel_sums)(size_t n, const float *z, const uint8_t *target, double *bce, double *squares);
  void (*sigmoid)(size_t n, const float *z, float *y);
  void (*update)(const Update &);
  int lanes; // floats in a vector register
};

const Kernels &kernels(bool bf16);
const char *kernels_isa();
// kernels_use chooses a set for plans made from now on, for tests; false where the
// processor or the build lacks it. No other thread may be making plans.
bool kernels_use(const char *isa);

// Scratch that forward, backward, moments and sums need, in floats.
size_t point_scratch(const Shape &in);
size_t few_scratch(const Few &);
inline size_t blend_scratch(const Shape &s) { return s.values() / s.n * 10 * sizeof(double) / sizeof(float); }
inline int round_up(int v, int to) { return (v + to - 1) / to * to; }

} // namespace moncae
