#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,prefer-vector-width=512")
#define MONCAE_AVX512
#define ISA avx512
#include "kernel_table.hpp"
#endif
