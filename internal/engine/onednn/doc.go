// Package onednn is the engine on CPUs: training and inference by oneDNN's
// convolutions and the project's own kernels (package native, C++), from plans
// that package plan makes of Gorgonia graphs.
//
// A program computes on one thread, the one that calls it, so as many programs
// run side by side as there are processors, and what a program computes depends
// on nothing beside it: weights are bit-identical for the same net, data, seed,
// library and processor model. Activations are NHWC.
//
// Trainings in bfloat16, where the processor has instructions for it, keep
// activations and their gradients in it, and convolutions multiply in it. In
// float32 are sums, the weights that the optimiser moves, their gradients, batch
// statistics, logits, the loss, and all of inference.
//
// Costs: a program holds one block of memory for both its plans, taken from a
// pool that closed programs feed, for touching fresh memory is most of what a
// short training's start costs. Train and Evaluate make one call into C++ and
// allocate nothing in Go.
//
// Built with the tag onednn and cgo; elsewhere New says what is missing.
package onednn
