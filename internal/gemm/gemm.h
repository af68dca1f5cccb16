// Products of matrices of doubles; see gemm.c.
#pragma once

// The processor's best kernel: 2 AVX-512, 1 AVX2 with FMA, 0 none.
int gemm_kernel(void);

// Doubles that a call works in beside the matrices.
long gemm_work(int kernel);

// c[m][n] = alpha·a[m][k]·b[k][n] + beta·c. The strides of a and b are those of rows
// and of columns, that of c is of rows. Where beta is 0, c is not read.
void gemm(int kernel, long m, long n, long k, double alpha, const double *a, long ra, long ca,
          const double *b, long rb, long cb, double beta, double *c, long rc, double *work);
