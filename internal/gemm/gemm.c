//go:build onednn && cgo

// Blocks of a and b are packed into panels that the innermost loop reads in order
// (Goto and van de Geijn 2008): b's stay in the second-level cache's larger part while
// tiles of c are summed in registers.
#include "gemm.h"

#if defined(__x86_64__)

enum { DEPTH = 256, ROWS = 96, COLUMNS = 768, TILE = 6 };

#define SET avx512
#define TARGET __attribute__((target("avx512f,fma")))
#define LANES 8
#include "tile.h"
#undef SET
#undef TARGET
#undef LANES

#define SET avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 4
#include "tile.h"

int gemm_kernel(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return 2;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0;
}

long gemm_work(int kernel) { return DEPTH * (ROWS + COLUMNS); }

// panels copies rows × depth values as panels of width rows each, the last one filled
// up with zeros: [panel][depth][width].
static void panels(double *to, const double *from, long rows, long depth, long r, long d, long width) {
  for (long at = 0; at < rows; at += width)
    for (long j = 0; j < depth; j++)
      for (long i = at; i < at + width; i++) *to++ = i < rows ? from[i * r + j * d] : 0;
}

static long least(long a, long b) { return a < b ? a : b; }

void gemm(int kernel, long m, long n, long k, double alpha, const double *a, long ra, long ca,
          const double *b, long rb, long cb, double beta, double *c, long rc, double *work) {
  const long width = kernel == 2 ? 24 : 12;
  double *pa = work, *pb = work + DEPTH * ROWS;
  for (long q = 0; q < k; q += DEPTH) {
    const long depth = least(DEPTH, k - q);
    for (long j = 0; j < n; j += COLUMNS) {
      const long columns = least(COLUMNS, n - j);
      panels(pb, b + q * rb + j * cb, columns, depth, cb, rb, width);
      for (long i = 0; i < m; i += ROWS) {
        const long rows = least(ROWS, m - i);
        panels(pa, a + i * ra + q * ca, rows, depth, ra, ca, TILE);
        for (long y = 0; y < columns; y += width)
          for (long x = 0; x < rows; x += TILE) {
            double *at = c + (i + x) * rc + j + y;
            (kernel == 2 ? tile_avx512 : tile_avx2)(depth, pa + x * depth, pb + y * depth, alpha, q ? 1 : beta, at, rc,
                                                    least(TILE, rows - x), least(width, columns - y));
          }
      }
    }
  }
}

#else

int gemm_kernel(void) { return 0; }
long gemm_work(int kernel) { return 0; }
void gemm(int kernel, long m, long n, long k, double alpha, const double *a, long ra, long ca,
          const double *b, long rb, long cb, double beta, double *c, long rc, double *work) {}

#endif
