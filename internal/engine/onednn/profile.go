//go:build onednn && cgo

package onednn

import (
	"moncae/internal/engine"
	"moncae/internal/engine/onednn/native"
)

var _ engine.Profiler = (*program)(nil)

// Profile starts timing the training's steps.
func (p *program) Profile() { p.train.Profile() }

// GemmPeak measures a large matrix product on one thread, in the training's
// precision, in gigaflops.
func (p *program) GemmPeak() float64 { return native.GemmPeak(p.bf16) }

// Times are the processor seconds of each step since the last call.
func (p *program) Times() []engine.StepTime {
	n := len(p.lowered.Steps)
	seconds, times := make([]float64, n+1), make([]engine.StepTime, n+1)
	p.train.Seconds(seconds)
	for i := range n {
		times[i] = engine.StepTime{Step: p.lowered.Describe(i), Seconds: seconds[i], MACs: p.lowered.MACs(i)}
	}
	times[n] = engine.StepTime{Step: "optimizer", Seconds: seconds[n]}
	return times
}
