package engine

// Chooser is an engine that has a library compute convolutions, by a plan that is
// chosen for each.
type Chooser interface {
	// Convolutions tells what was chosen so far, in an order that doesn't depend on
	// when.
	Convolutions() Convolutions
}

// Convolutions tell how convolutions were computed.
type Convolutions struct {
	Library string   `json:"library,omitempty"` // with its version; "" without one
	Plans   []Plan   `json:"plans"`
	Own     []string `json:"own,omitempty"` // why networks did without the library, each reason once
}

// ConvolutionsOf are those of e, none where it doesn't choose.
func ConvolutionsOf(e Engine) (c Convolutions) {
	if chooser, ok := e.(Chooser); ok {
		c = chooser.Convolutions()
	}
	return c
}

// Plan is what was chosen for a convolution.
type Plan struct {
	Kind      string    `json:"kind"`   // forward, input gradient, weight gradient
	Input     [4]int    `json:"input"`  // N, H, W, C of x
	Output    [3]int    `json:"output"` // H, W, C of y
	Kernel    int       `json:"kernel"`
	Stride    int       `json:"stride"`
	Precision Precision `json:"precision"`
	// Engine is the library's number for it and Rank its place among what was
	// proposed, from 1; 0 where none fitted, and the engine's own kernels compute it.
	Engine      int   `json:"engine"`
	Rank        int   `json:"rank"`
	Fallback    bool  `json:"fallback,omitempty"` // proposed as what always works
	TensorCores bool  `json:"tensor_cores,omitempty"`
	Workspace   int64 `json:"workspace"` // bytes
}
