package engine

// Comparer is an engine that can compute a convolution in its own way and by a library.
type Comparer interface {
	// Compare times the three products of a convolution both ways, forward, input gradient
	// and weight gradient, one after another on an idle device. What a training does
	// doesn't depend on it: its choice is a function of the shape, so that a search gives
	// the same again.
	Compare(s Shape, p Precision) ([]Comparison, error)
}

// Shape is a convolution: x [N,H,W,C], y [H,W,C].
type Shape struct {
	Input          [4]int
	Output         [3]int
	Kernel, Stride int
}

// Comparison has the times of one product, in microseconds. Plan is the library's; its
// Rank is 0 where the library has none, and then Library is 0 too.
type Comparison struct {
	Plan
	Own     float64 `json:"own_us"`
	Library float64 `json:"library_us,omitempty"`
	// Others are the library's next plans that a training could use, in its order.
	Others []Other `json:"others,omitempty"`
}

// Other is a plan that a training doesn't use. Its time is 0 where it fails.
type Other struct {
	Engine      int     `json:"engine"`
	Rank        int     `json:"rank"`
	TensorCores bool    `json:"tensor_cores,omitempty"`
	Time        float64 `json:"us"`
}
