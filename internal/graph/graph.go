// Package graph builds Gorgonia graphs from arch descriptions: for a training
// step the loss and the gradient of every trained parameter, for inference the
// latent and the logits.
//
// A graph is made for one batch size. Building costs about a millisecond for a
// hundred nodes and allocates no tensors: the values live in an engine.
package graph

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
)

// Net is what an engine compiles: a network with its training graph and its
// inference graph for one batch size.
type Net struct {
	Input  arch.Shape
	Output arch.Shape // of the logits
	Latent arch.Shape // zero for a classifier
	Batch  int
	Loss   Loss
	Blend  Blend // of Loss; zero for a classifier
	// Denoise is the standard deviation of the noise in training images; 0: none.
	Denoise float64
	Params  []arch.Param
	Train   Training
	Infer   Inference
}

// Training is the graph of one step. Nodes are in one ExprGraph.
type Training struct {
	Graph  *gorgonia.ExprGraph
	Input  *gorgonia.Node // [N,C,H,W], images scaled to [0,1], or features
	Target *gorgonia.Node // Input itself for an autoencoder; labels [N] for a classifier
	Step   *gorgonia.Node // scalar, the training steps before this one; nil without dropout and noise
	Loss   *gorgonia.Node
	Params map[string]*gorgonia.Node // trained parameters by name
	Grads  map[string]*gorgonia.Node // their gradients
	// Stats are the batch statistics by the name of the running average they
	// feed (roles Mean and Variance).
	Stats map[string]*gorgonia.Node
}

// Inference is the graph of a forward pass with running averages, no dropout and no noise.
type Inference struct {
	Graph  *gorgonia.ExprGraph
	Input  *gorgonia.Node
	Params map[string]*gorgonia.Node // every parameter, running averages too
	Latent *gorgonia.Node            // nil for a classifier
	Logits *gorgonia.Node
}
