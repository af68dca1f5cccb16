package engine

import (
	"cmp"
	"slices"
)

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

// Add adds what c lacks of more, and keeps the order.
func (c *Convolutions) Add(more Convolutions) {
	c.Library = cmp.Or(c.Library, more.Library)
	for _, p := range more.Plans {
		if !slices.Contains(c.Plans, p) {
			c.Plans = append(c.Plans, p)
		}
	}
	slices.SortFunc(c.Plans, Plan.Compare)
	for _, reason := range more.Own {
		if !slices.Contains(c.Own, reason) {
			c.Own = append(c.Own, reason)
		}
	}
	slices.Sort(c.Own)
}

// Without are those of c that other lacks.
func (c Convolutions) Without(other Convolutions) Convolutions {
	c.Plans = slices.DeleteFunc(slices.Clone(c.Plans), func(p Plan) bool { return slices.Contains(other.Plans, p) })
	c.Own = slices.DeleteFunc(slices.Clone(c.Own), func(reason string) bool { return slices.Contains(other.Own, reason) })
	return c
}

// Empty tells whether nothing was chosen.
func (c Convolutions) Empty() bool { return len(c.Plans)+len(c.Own) == 0 }

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

// Compare orders plans by what they are for, then by what was chosen: devices may differ.
func (p Plan) Compare(q Plan) int {
	return cmp.Or(cmp.Compare(p.Kind, q.Kind), slices.Compare(p.Input[:], q.Input[:]), slices.Compare(p.Output[:], q.Output[:]),
		cmp.Compare(p.Kernel, q.Kernel), cmp.Compare(p.Stride, q.Stride), cmp.Compare(p.Precision, q.Precision),
		cmp.Compare(p.Engine, q.Engine), cmp.Compare(p.Rank, q.Rank), cmp.Compare(p.Workspace, q.Workspace))
}
