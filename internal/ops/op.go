// Package ops holds the operations that moncae's Gorgonia graphs are made of.
//
// Every op is a comparable struct that implements gorgonia.Op and, where it can
// be differentiated, gorgonia.SDOp. It has a shape rule, a slow and readable
// pure-Go kernel in Do (the meaning of the op; engines are checked against it)
// and a symbolic gradient made of further ops of this package.
//
// All values are float32 with four axes, NCHW, unless said otherwise. "[C]" is
// a vector with one value a channel, "scalar" a float32 scalar. A Gorgonia op
// returns one value, so a layer's gradients are ops of their own; engines fuse
// them again. Gorgonia merges nodes by a hash of op, type and shape: WriteHash
// covers every field, and Apply checks that the graph grew.
//
// Costs: Do allocates its result and runs plain loops with float64 sums; it is
// made for checking, not for speed.
package ops

import "moncae/internal/arch"

// The inputs of each op are listed in order; k is Kernel, p is Kernel/2.
type (
	// Conv2D takes x [N,C,H,W], w [O,C,k,k], b [O] → [N,O,⌈H/Stride⌉,⌈W/Stride⌉].
	// Cross-correlation with p zeros on every side.
	Conv2D struct{ Kernel, Stride int }
	// Conv2DGradInput takes w, dy → dx [N,C,H,W] (the shape is X, for a stride hides it).
	Conv2DGradInput struct {
		Kernel, Stride int
		X              [4]int
	}
	// Conv2DGradWeight takes x, dy → dw [O,C,k,k].
	Conv2DGradWeight struct{ Kernel, Stride int }
	// ConvTranspose2D takes x [N,I,⌈H/2⌉,⌈W/2⌉], w [I,O,k,k], b [O] → [N,O,H,W]: what a
	// Conv2D of stride 2 with these weights makes of its output's gradient x, and b.
	ConvTranspose2D struct{ Kernel, H, W int }
	// ConvTranspose2DGradInput takes w, dy → dx [N,I,⌈H/2⌉,⌈W/2⌉].
	ConvTranspose2DGradInput struct{ Kernel int }
	// ConvTranspose2DGradWeight takes x, dy → dw [I,O,k,k].
	ConvTranspose2DGradWeight struct{ Kernel int }

	// ChannelSum takes dy [N,C,H,W] → [C], the sum over N, H and W: the gradient of a
	// convolution's bias and of batch norm's beta.
	ChannelSum struct{ Of Role }

	// Dense takes x [N,C,H,W], w [O,C·H·W], b [O] → [N,O,1,1].
	Dense struct{}
	// DenseGradInput takes w, dy [N,O,1,1] → dx of shape X.
	DenseGradInput struct{ X [4]int }
	// DenseGradWeight takes x, dy → dw [O,C·H·W].
	DenseGradWeight struct{}

	// BatchNorm takes x, gamma [C], beta [C] → y, by the batch's own mean and biased
	// variance over N, H, W and epsilon arch.BatchNormEpsilon.
	BatchNorm struct{}
	// BatchNormGradInput takes x, gamma, dy → dx.
	BatchNormGradInput struct{}
	// BatchNormGradGamma takes x, dy → [C]. (Beta's gradient is ChannelSum.)
	BatchNormGradGamma struct{}
	// BatchMean and BatchVariance: x → [C], the batch's statistics (variance
	// biased) that running averages are made of. Not differentiable.
	BatchMean     struct{}
	BatchVariance struct{}
	// Normalize takes x, gamma, beta, mean [C], variance [C] → y: batch norm outside
	// training. Not differentiable.
	Normalize struct{}

	// Activation takes x → f(x).
	Activation struct{ F arch.Activation }
	// ActivationGrad takes x, y = f(x), dy → dx. All but SiLU need y alone; SiLU needs x.
	ActivationGrad struct{ F arch.Activation }

	// Dropout takes x, step (scalar: training steps before this one) → y. Value i in
	// NCHW order is kept where the generator's number for (Seed, step, Layer, i)
	// is at least Rate, and scaled by 1/(1−Rate).
	Dropout struct {
		Rate  float64
		Layer uint32
		Seed  uint64
	}
	// DropoutGrad takes dy, step → dx, by the same mask.
	DropoutGrad struct {
		Rate  float64
		Layer uint32
		Seed  uint64
	}

	// Noise takes images x, step → min(max(x + Sigma·n, 0), 1), with n normal: the
	// generator's numbers for (Seed, step, Layer, i). Not differentiable: it is for data.
	Noise struct {
		Sigma float64
		Layer uint32
		Seed  uint64
	}

	// MaxPool2 takes x [N,C,H,W] → [N,C,⌈H/2⌉,⌈W/2⌉]; along an odd side the windows are
	// (·,0)(1,2)(3,4)…, along an even one (0,1)(2,3)…
	MaxPool2 struct{}
	// MaxPool2Grad takes x, y, dy → dx; the first maximum of a window in row-major
	// order takes the whole gradient.
	MaxPool2Grad struct{}

	// Upsample2 takes x → [N,C,H,W], nearest: output row h takes input row (h+H%2)/2,
	// likewise columns. The input is [N,C,⌈H/2⌉,⌈W/2⌉].
	Upsample2 struct{ H, W int }
	// Upsample2Grad takes dy → dx [N,C,⌈H/2⌉,⌈W/2⌉], sums.
	Upsample2Grad struct{}

	// Add takes a, b of one shape → a + b. Its gradient is dy for both: no op. Where a
	// value has several users, Gorgonia itself adds their gradients with an
	// element-wise op of its own; IsGradientSum recognises that.
	Add struct{}

	// BCEWithLogits takes z, target in [0,1] → scalar, the mean over all values of
	// max(z,0) − z·t + log(1+e^−|z|), in nats.
	BCEWithLogits struct{}
	// BCEWithLogitsGrad takes z, target, dloss (scalar) → dz.
	BCEWithLogitsGrad struct{}
	// MSE takes z, target → scalar, the mean of (sigmoid(z) − t)².
	MSE struct{}
	// MSEGrad takes z, target, dloss → dz.
	MSEGrad struct{}
	// Blend takes z, target → scalar, the weighted sum of BCEWithLogits, MSE, and 1 −
	// metric.GaussianSSIM of sigmoid(z), the mean over images.
	Blend struct{ BCE, MSE, SSIM float64 }
	// BlendGrad takes z, target, dloss → dz.
	BlendGrad struct{ BCE, MSE, SSIM float64 }
	// SoftmaxCrossEntropy takes z [N,K,1,1], labels [N] (class numbers as float32) →
	// scalar, the mean over N in nats.
	SoftmaxCrossEntropy struct{}
	// SoftmaxCrossEntropyGrad takes z, labels, dloss → dz.
	SoftmaxCrossEntropyGrad struct{}
)

// Role tells a ChannelSum's purpose apart; it changes nothing in the value.
type Role uint8

// The roles.
const (
	ConvBias Role = iota
	NormBeta
	DenseBias
)
