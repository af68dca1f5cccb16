// Which kernels this processor gets.
#include "kernels.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

namespace moncae {

#if defined(__x86_64__)
namespace avx512 { extern const Kernels kernels_f32, kernels_bf16; }
namespace avx2 { extern const Kernels kernels_f32, kernels_bf16; }
#endif
namespace generic { extern const Kernels kernels_f32, kernels_bf16; }

namespace {

struct Set {
  const char *isa;
  bool usable;
  const Kernels *f32, *bf16;
};

// The sets of this build, best first.
const Set *sets(int &n) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  static const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  static const bool wide = fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  static const Set all[] = {
#if defined(__x86_64__)
      {"avx512", wide, &avx512::kernels_f32, &avx512::kernels_bf16},
      {"avx2", fma, &avx2::kernels_f32, &avx2::kernels_bf16},
#endif
      {"generic", true, &generic::kernels_f32, &generic::kernels_bf16},
  };
  n = sizeof all / sizeof *all;
  return all;
}

// best is what the processor has, and oneDNN may use (ONEDNN_MAX_CPU_ISA).
const Set *best() {
  const int isa = dnnl_get_effective_cpu_isa();
  auto allowed = [=](const Set *s) {
    int need = !strcmp(s->isa, "avx512") ? dnnl_cpu_isa_avx512_core : !strcmp(s->isa, "avx2") ? dnnl_cpu_isa_avx2 : 0;
    return s->usable && (isa & need) == need;
  };
  int n;
  const Set *s = sets(n);
  while (!allowed(s)) s++;
  return s;
}

const Set *&chosen() {
  static const Set *s = best();
  return s;
}

} // namespace

const Kernels &kernels(bool bf16) { return bf16 ? *chosen()->bf16 : *chosen()->f32; }
const char *kernels_isa() { return chosen()->isa; }

bool kernels_use(const char *isa) {
  int n;
  const Set *all = sets(n);
  for (int i = 0; i < n; i++)
    if (all[i].usable && !strcmp(all[i].isa, isa)) {
      chosen() = all + i;
      return true;
    }
  return false;
}

size_t point_scratch(const Shape &s) {
  size_t period = size_t(s.c) * ((255 + s.c) / s.c), row = size_t(s.w) * s.c;
  return 20 * period + 12 * size_t(s.c) + 10 * row + 64;
}

size_t few_scratch(const Few &g) {
  auto bordered = [&](const Shape &s) { return size_t(s.h + g.kernel) * (s.w + g.kernel) * s.c + 64; };
  size_t many = round_up(g.many.c, 16), taps = size_t(g.kernel) * g.kernel * g.few.c;
  return bordered(g.few) + bordered(g.many) + many * (taps + g.many.w + 20) + size_t(g.many.w + 32) * g.few.c + 64;
}

} // namespace moncae
