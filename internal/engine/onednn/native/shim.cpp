// The C face: exceptions become texts, and every call runs on one thread.
#include "shim.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <omp.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "plan.h"

using namespace moncae;

extern "C" const char mn_no_memory[14] = "out of memory";

namespace {

// One candidate is one thread, whatever OMP_NUM_THREADS says, so that results
// depend on nothing else; and numbers too small for a normal float count as 0,
// for they cost a hundred times as much. Both hold for the call alone.
class Quiet {
  int threads = omp_get_max_threads();
#if defined(__x86_64__)
  unsigned mode = _mm_getcsr();
#endif

public:
  Quiet() {
    omp_set_num_threads(1);
#if defined(__x86_64__)
    _mm_setcsr(mode | 0x8040); // flush to zero, denormals are zero
#endif
  }
  ~Quiet() {
    omp_set_num_threads(threads);
#if defined(__x86_64__)
    _mm_setcsr(mode);
#endif
  }
};

template <class F> const char *guarded(F f) {
  try {
    Quiet q;
    f();
    return nullptr;
  } catch (const std::bad_alloc &) {
    return mn_no_memory;
  } catch (const dnnl::error &e) {
    if (e.status == dnnl_out_of_memory) return mn_no_memory;
    const char *text = strdup((std::string("oneDNN: ") + e.what()).c_str());
    return text ? text : mn_no_memory;
  } catch (const std::exception &e) {
    const char *text = strdup(e.what());
    return text ? text : mn_no_memory;
  }
}

// NHWC to NCHW for the first `count` images of a batch.
void unpack(const Shape &s, int count, const float *from, float *to) {
  size_t hw = size_t(s.h) * s.w;
  for (int n = 0; n < count; n++)
    for (int c = 0; c < s.c; c++)
      for (size_t i = 0; i < hw; i++) *to++ = from[(n * hw + i) * s.c + c];
}

void class_sums(const mn_plan &p, const Shape &z, int count, const float *logits, double *sums) {
  sums[0] += p.k.class_loss(count, z.c, logits, p.labels.data(), 0, nullptr);
  for (int n = 0; n < count; n++) {
    const float *row = logits + size_t(n) * z.c;
    int best = 0;
    for (int i = 1; i < z.c; i++)
      if (row[i] > row[best]) best = i;
    sums[1] += best == p.labels[n];
  }
}

} // namespace

extern "C" {

void mn_free_text(const char *t) {
  if (t != mn_no_memory) free((void *)t);
}

const char *mn_version(void) {
  static char text[32];
  const dnnl_version_t *v = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
  return text;
}

const char *mn_isa(void) { return kernels_isa(); }
int mn_use_isa(const char *isa) { return kernels_use(isa); }

int mn_bf16(void) {
  return (int(dnnl::get_effective_cpu_isa()) & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

void *mn_block_new(size_t bytes) {
  void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  madvise(p, bytes, MADV_HUGEPAGE); // a wish: without it, the block is slower to touch
  return p;
}
void mn_block_free(void *p, size_t bytes) { munmap(p, bytes); }

const char *mn_net_new(size_t trained, size_t running, int optimizer, mn_net **net) {
  return guarded([=] { *net = new mn_net(trained, running, Optimizer(optimizer)); });
}
void mn_net_free(mn_net *n) { delete n; }
float *mn_net_params(mn_net *n) { return n->params.data(); }
float *mn_net_grads(mn_net *n) { return n->grads.data(); }
size_t mn_net_slot(mn_net *n, int slot, float **at) {
  std::vector<float> &s = slot ? n->s2 : n->s1;
  *at = s.data();
  return s.size();
}
double *mn_net_averages(mn_net *n) { return n->averages.data(); }
int64_t *mn_net_step(mn_net *n) { return &n->step; }
void mn_net_reset(mn_net *n) { n->reset(); }

const char *mn_plan_new(mn_net *net, int training, const mn_tensor *t, int tensors, size_t arena, mn_plan **plan) {
  return guarded([=] { *plan = new mn_plan(*net, training, t, tensors, arena); });
}
void mn_plan_free(mn_plan *p) { delete p; }
const char *mn_plan_add(mn_plan *p, const mn_step *s) {
  return guarded([=] { p->add(*s); });
}
size_t mn_plan_bytes(mn_plan *p) { return p->bytes + p->scratch + 64; }
void mn_plan_bind(mn_plan *p, void *block) { p->bind(block); }

const char *mn_train(mn_plan *p, const uint8_t *images, const float *features, const int32_t *labels, const int32_t *rows, int steps, const float *rates, float *losses) {
  return guarded([=] {
    int size = p->tensors.at(0).n;
    for (int i = 0; i < steps; i++) {
      p->batch = {images, features, labels, rows + size_t(i) * size, size};
      p->run(p->steps);
      p->update(rates[i]);
      losses[i] = float(p->loss);
    }
    p->net.correct();
  });
}

const char *mn_forward(mn_plan *p, const uint8_t *images, const float *features, const int32_t *labels, const int32_t *rows, size_t n, int classifier, int similar, int latent_id, int logits_id, float *latent, float *output, double *sums) {
  return guarded([=] {
    Shape z = p->shape(logits_id), l = latent_id < 0 ? Shape{} : p->shape(latent_id);
    size_t zs = z.values() / z.n, ls = latent_id < 0 ? 0 : l.values() / l.n;
    std::vector<double> scratch(sums && similar ? blend_scratch(z) : 0);
    p->run(p->prologue);
    for (size_t o = 0; o < n; o += z.n) {
      int count = int(n - o < size_t(z.n) ? n - o : z.n);
      p->batch = {images, features, labels, rows + o, count};
      p->run(p->steps);
      float *logits = p->at<float>(logits_id);
      if (sums && classifier) class_sums(*p, z, count, logits, sums);
      else if (sums) p->k.pixel_sums(count * zs, logits, p->at<uint8_t>(1), sums, sums + 1);
      if (sums && similar) sums[2] += p->k.similarities(z, count, logits, p->at<uint8_t>(1), scratch.data());
      if (latent) unpack(l, count, p->at<float>(latent_id), latent + o * ls);
      if (!output) continue;
      if (!classifier) p->k.sigmoid(count * zs, logits, logits);
      unpack(z, count, logits, output + o * zs);
    }
  });
}

void mn_plan_profile(mn_plan *p, int on) { p->profile = on; }
void mn_plan_seconds(mn_plan *p, double *seconds) {
  for (double &s : p->seconds) *seconds++ = s, s = 0;
}
double mn_gemm_peak(int bf16) {
  double peak = 0;
  mn_free_text(guarded([=, &peak] { peak = gemm_peak(bf16); }));
  return peak;
}

} // extern "C"
