// The C face of the training plan: everything Go calls. A plan is a flat list
// of steps over NHWC tensors of one batch size; a net is the parameters and the
// optimiser's state that its plans share.
//
// Functions that return const char* give NULL for success. Otherwise the text
// is mn_no_memory itself, or a message to be freed with mn_free_text. No C++
// exception leaves this interface. Nothing here is safe for two threads on one
// net at a time; different nets are independent.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct mn_net mn_net;
typedef struct mn_plan mn_plan;

// Kinds of steps, in the order of lower.Kind.
enum {
  MN_INPUT,
  MN_CONV,
  MN_CONV_GRAD_WEIGHT,
  MN_CONV_GRAD_INPUT,
  MN_DENSE,
  MN_DENSE_GRAD_WEIGHT,
  MN_DENSE_GRAD_INPUT,
  MN_POINT,
  MN_POINT_GRAD,
  MN_DROPOUT,
  MN_DROPOUT_GRAD,
  MN_ADD,
  MN_LOSS,
  MN_UP_CONV,
  MN_UP_CONV_GRAD,
  MN_WIDEN,
  MN_NOISE,
  MN_BIAS_GRAD,
};

// A tensor of a plan: NHWC, at an offset in the plan's block.
typedef struct {
  int32_t n, c, h, w;
  int32_t bytes_per_value; // 1 uint8, 2 bfloat16, 4 float32
  size_t offset;
} mn_tensor;

// One step; see plan.Step for what each kind reads. Tensors and parameters
// that it lacks are -1.
typedef struct {
  int32_t kind;
  int32_t x, x2, y, dy, dx, aux, stats;
  int32_t weight, bias, gamma, beta, mean, variance;
  int32_t kernel, stride;
  int32_t act, before, resample, norm, loss;
  double rate, bce, mse, ssim; // the losses' weights in a blend
  uint32_t layer;
  uint64_t seed;
} mn_step;

extern const char mn_no_memory[14]; // "out of memory"
void mn_free_text(const char *);

const char *mn_version(void);
const char *mn_isa(void);           // of the own kernels: avx512, avx2, generic
int mn_use_isa(const char *isa);    // for plans made from now on; 0 where it is not there
int mn_bf16(void);                  // 1 where the processor computes in bfloat16

// Blocks of memory, aligned to pages.
void *mn_block_new(size_t bytes); // NULL where the machine refuses
void mn_block_free(void *, size_t bytes);

// A net's flat array holds `trained` values that the optimiser changes, then
// `running` averages.
const char *mn_net_new(size_t trained, size_t running, int optimizer, mn_net **);
void mn_net_free(mn_net *);
float *mn_net_params(mn_net *);
float *mn_net_grads(mn_net *); // of the last step
// What the optimiser keeps of each trained value; slot 1 is empty where the rule
// keeps one number alone.
size_t mn_net_slot(mn_net *, int slot, float **);
double *mn_net_averages(mn_net *); // sums behind the running averages
int64_t *mn_net_step(mn_net *);
void mn_net_reset(mn_net *);   // optimiser state, step count, running averages

// Plans refer to their net, which must outlive them. Tensor 0 is the input;
// tensor 1, where the data are images, their bytes.
const char *mn_plan_new(mn_net *, int training, const mn_tensor *, int tensors, size_t arena, mn_plan **);
void mn_plan_free(mn_plan *);
const char *mn_plan_add(mn_plan *, const mn_step *);
size_t mn_plan_bytes(mn_plan *); // of the block it needs: arena, packed weights, scratch
void mn_plan_bind(mn_plan *, void *block);

// mn_train runs `steps` steps on `batch`·`steps` rows of the data, which are
// images or features in NCHW order, with labels for a classifier.
const char *mn_train(mn_plan *, const uint8_t *images, const float *features, const int32_t *labels, const int32_t *rows,
                     int steps, const float *rates, float *losses);
// mn_forward runs any number of rows through an inference plan and adds to the
// sums (float64): [0] BCE or cross-entropy, [1] squared error or right answers, and
// with `similar` [2] structural similarity.
// latent and output (NCHW, of tensors latent_id and logits_id; the output of an
// autoencoder through the sigmoid) and sums may be NULL.
const char *mn_forward(mn_plan *, const uint8_t *images, const float *features, const int32_t *labels, const int32_t *rows,
                       size_t n, int classifier, int similar, int latent_id, int logits_id, float *latent, float *output, double *sums);

// Processor seconds spent in each added step since the last call, then the
// optimiser's. Timing is off until mn_plan_profile(plan, 1).
void mn_plan_profile(mn_plan *, int on);
void mn_plan_seconds(mn_plan *, double *);
// Gigaflops of a large matrix product of the library on one thread, in float32 or
// bfloat16; 0 where it fails.
double mn_gemm_peak(int bf16);

#ifdef __cplusplus
}
#endif
