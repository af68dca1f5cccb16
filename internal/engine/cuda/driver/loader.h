/* Opens libcuda.so.1 and starts it: 0, a CUresult, or -1 with the loader's
 * words in *error. Call it once, before any other driver function. */
int moncae_cuda_open(const char **error);
