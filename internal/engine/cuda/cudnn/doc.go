// Package cudnn has cuDNN 9 compute convolutions, by its graph API. The library is
// opened at run time: a binary starts without it, and the engine then computes by
// its own kernels.
//
// Of the plans that cuDNN's heuristics propose, the first is taken that its notes
// call deterministic and that is modest in memory: a function of shape, precision,
// device and version. The same code chooses for a device that is only described
// (Library.Describe), with the real library and no GPU. Choosing takes cuDNN some
// ten milliseconds; a handle keeps its plans, so that no training step makes one.
package cudnn
