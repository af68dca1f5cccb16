//go:build nvidia && linux && amd64

package cuda

import (
	"bytes"
	"fmt"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/cuda/plan"
)

// extent is a stretch of a program's block, in bytes.
type extent struct{ from, to int64 }

// extents are where a step may write: the buffers and regions that it names.
func (r *resident) extents(s plan.Step) (all []extent) {
	p := r.program
	for _, ref := range plan.Refs(s) {
		switch {
		case ref.In >= plan.Source:
		case ref.In == plan.Arena:
			at := p.regions.offset[plan.Arena] + p.plan.Offset(ref) - ref.Offset
			all = append(all, extent{at, at + p.plan.Size(ref)})
		default:
			all = append(all, extent{p.regions.offset[ref.In], p.regions.offset[ref.In] + p.regions.size[ref.In]})
		}
	}
	return all
}

// TestBounds runs the steps of a training and of both inferences one by one and
// looks at all of the program's memory after each: what the step doesn't name
// must not have changed.
func TestBounds(t *testing.T) {
	j := newJob(t, openEngine(t))
	for _, half := range []string{"f32", "bf16"} {
		j.precision = engine.Precision(half)
		made, err := j.compile()
		if err != nil {
			t.Fatal(err)
		}
		p := made.(*program)
		err = p.call(func() error {
			for name, steps := range map[string][]plan.Step{"train": p.plan.Train, "evaluate": p.plan.Evaluate, "infer": p.plan.Infer} {
				if err := p.on.bounds(steps); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(half, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func (r *resident) bounds(steps []plan.Step) error {
	size := r.program.regions.bytes
	if err := r.rewind(); err != nil {
		return err
	}
	if err := upload(r, plan.Rows, make([]int32, chunk*r.program.plan.Net.Batch)); err != nil {
		return err
	}
	before, after := make([]byte, size), make([]byte, size)
	for i, s := range steps {
		if err := r.read(before); err != nil {
			return err
		}
		if err := r.enqueue([]plan.Step{s}); err != nil {
			return err
		}
		if err := r.read(after); err != nil {
			return err
		}
		for _, e := range r.extents(s) {
			copy(after[e.from:e.to], before[e.from:e.to])
		}
		if !bytes.Equal(before, after) {
			for at := range before {
				if before[at] != after[at] {
					return fmt.Errorf("step %d (%+v) writes at %d, which it doesn't name", i, s, at)
				}
			}
		}
	}
	return nil
}

func (r *resident) read(to []byte) error {
	if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&to[0]), r.block.at, int64(len(to)), r.stream); err != nil {
		return err
	}
	return r.stream.Synchronize()
}

// wide needs several tiles of matrix kernels: more than 64 channels on
// both sides of a convolution, and several parts of its weight gradient.
var wide = arch.Arch{
	Input: arch.Shape{C: 3, H: 9, W: 7},
	Encoder: arch.Stack{
		{Kind: arch.Conv, Filters: 70, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.ELU},
		{Kind: arch.Conv, Filters: 66, Kernel: 3, Stride: 2}, {Kind: arch.BatchNorm},
	},
	Decoder: arch.Stack{
		{Kind: arch.Conv, Filters: 13, Kernel: 5, Stride: 1}, {Kind: arch.Activate, Activation: arch.Sigmoid},
		{Kind: arch.Transpose, Filters: 67, Kernel: 5, To: &[2]int{9, 7}}, {Kind: arch.Conv, Filters: 3, Kernel: 7, Stride: 1},
	},
}
