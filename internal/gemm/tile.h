// A tile of c of TILE rows and three vectors of LANES columns, for one instruction set:
// included with SET, TARGET and LANES defined.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(vector, SET)

typedef double VECTOR __attribute__((vector_size(8 * LANES), aligned(8)));

// a is [depth][TILE], b [depth][3·LANES]; rows × columns of the tile are in c.
TARGET static void JOIN(tile, SET)(long depth, const double *a, const double *b, double alpha, double beta, double *c, long rc,
                                   long rows, long columns) {
  VECTOR sum[TILE][3] = {};
  for (long j = 0; j < depth; j++, a += TILE, b += 3 * LANES) {
    const VECTOR b0 = *(const VECTOR *)b, b1 = *(const VECTOR *)(b + LANES), b2 = *(const VECTOR *)(b + 2 * LANES);
#pragma GCC unroll 6
    for (int i = 0; i < TILE; i++) {
      sum[i][0] += a[i] * b0;
      sum[i][1] += a[i] * b1;
      sum[i][2] += a[i] * b2;
    }
  }
  double out[TILE][3 * LANES];
  __builtin_memcpy(out, sum, sizeof out);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) c[i * rc + j] = alpha * out[i][j] + (beta == 0 ? 0 : beta * c[i * rc + j]);
}

#undef JOIN_
#undef JOIN
#undef VECTOR
