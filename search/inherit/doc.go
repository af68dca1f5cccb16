// Package inherit gives a child the trained weights of its mother, as far as the two
// networks are alike: what it begins its training with.
//
// Convolutions are paired by their block's place in the genome, encoder with encoder and
// decoder with decoder, whatever is active around them, where they see images of the same
// size; those that make the image are paired too. Batch norm goes with its convolution.
// What a pair shares is copied:
//
//   - the first filters and input channels. The rest of the child's filters are fresh, and
//     what is new among the inputs of a filter that is copied has zero weights: where the
//     layer before was widened, the output is what it was (Chen, Goodfellow and Shlens 2016);
//   - the middle of the kernel, with zeros around it where the child's is larger;
//   - batch norm's gammas, betas and running statistics. Where the child has none, the
//     mother's is folded into the convolution.
//
// A block that the mother lacks begins by passing its first channels on: by a one in the
// kernel's middle, or, where a skip adds its input already, by adding nothing; a transposed
// convolution by interpolating. All else is fresh: batch norm of such a block, and convolutions
// that see images of another size, or are transposed where the mother's is not.
//
// So before its first step a child with wider layers, larger kernels, no batch norm, or a
// block more between two whose activation is relu, computes what its mother does; other
// changes keep less. The package is pure, and costs time linear in the number of values.
package inherit
