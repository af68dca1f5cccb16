#if defined(__x86_64__)
#pragma GCC target("avx2,fma,f16c,bmi,bmi2")
#define MONCAE_AVX2
#define ISA avx2
#include "kernel_table.hpp"
#endif
