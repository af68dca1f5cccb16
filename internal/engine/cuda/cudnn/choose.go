//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import (
	"errors"
	"runtime"

	"moncae/internal/engine/cuda/plan"
)

// maxWorkspace is the most scratch memory, in bytes, that a plan may want.
const maxWorkspace = 256 << 20

// ErrNone says that cuDNN computes something, but in no way that is wanted.
var ErrNone = errors.New("cuDNN has no deterministic plan of modest memory")

// Choice is a plan that was chosen among cuDNN's proposals.
type Choice struct {
	Engine      int   `json:"engine"` // its number in this version of cuDNN
	Rank        int   `json:"rank"`   // its place among the proposals, from 1; fallbacks come last
	Fallback    bool  `json:"fallback,omitempty"`
	TensorCores bool  `json:"tensor_cores,omitempty"`
	Workspace   int64 `json:"workspace"` // bytes
}

// Choose tells what would be chosen on this device.
func (d *Device) Choose(c plan.Problem) (Choice, error) {
	made, err := d.on.choose(c, 0)
	if err != nil {
		return Choice{}, err
	}
	return made.Choice, made.close()
}

// Plan is a chosen way to compute a convolution, ready to run.
type Plan struct {
	Choice
	parts
	plan descriptor
}

// choose takes the first plan behind a rank that is deterministic by cuDNN's notes,
// modest in memory, and as exact as is wanted.
func (t target) choose(c plan.Problem, after int) (*Plan, error) {
	runtime.LockOSThread() // the text of the last error belongs to a thread
	defer runtime.UnlockOSThread()
	s := &selection{target: t, problem: c, after: after, made: &Plan{}}
	graph := s.made.graph(c, t)
	if s.made.err != nil {
		return nil, errors.Join(s.made.err, s.made.close())
	}
	for _, mode := range []C.int{C.CUDNN_HEUR_MODE_A, C.CUDNN_HEUR_MODE_FALLBACK} {
		s.made.Fallback = mode == C.CUDNN_HEUR_MODE_FALLBACK
		if err := s.among(graph, mode); err != nil {
			return nil, errors.Join(err, s.made.close())
		}
		if s.made.plan != nil {
			return s.made, nil
		}
	}
	if s.failed == nil || Refused(s.failed) && !Environment(s.failed) {
		s.failed = ErrNone
	}
	return nil, errors.Join(s.failed, s.made.close())
}

// selection is a choice under way.
type selection struct {
	target
	problem plan.Problem
	after   int // proposals of up to this rank are passed over
	rank    int
	failed  error // the last of what proposals failed for
	made    *Plan
}

// among looks at the proposals of one mode, in their order. Its error is what
// forbids to look further.
func (s *selection) among(graph descriptor, mode C.int) (err error) {
	q := &parts{}
	defer func() { err = errors.Join(err, q.close()) }()
	heuristics := q.create(C.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)
	set(q, heuristics, C.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, graph)
	set(q, heuristics, C.CUDNN_ATTR_ENGINEHEUR_MODE, C.CUDNN_TYPE_HEUR_MODE, mode)
	s.ofHeuristics(q, heuristics)
	q.finalize(heuristics, "heuristics")
	if Refused(q.err) {
		s.failed = q.err
		return nil
	}
	for _, config := range proposed(q, heuristics) {
		if s.rank++; s.rank <= s.after {
			continue
		}
		switch taken, err := s.take(q, config); {
		case err != nil && (IsMemory(err) || !Unusable(err)):
			return err
		case err != nil:
			s.failed = err
		case taken:
			return nil
		}
	}
	return q.err
}

// proposed are the configurations of engines that the heuristics give, best first.
func proposed(q *parts, heuristics descriptor) []descriptor {
	count := q.count(heuristics, C.CUDNN_ATTR_ENGINEHEUR_RESULTS, C.CUDNN_TYPE_BACKEND_DESCRIPTOR)
	if count == 0 {
		return nil
	}
	configs := make([]descriptor, count)
	for i := range configs {
		configs[i] = q.create(C.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
	}
	return get(q, heuristics, C.CUDNN_ATTR_ENGINEHEUR_RESULTS, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, configs)
}

// take makes a plan of a proposal of q's if that is one of those wanted.
func (s *selection) take(q *parts, config descriptor) (taken bool, err error) {
	number, notes, err := engineOf(config)
	if err != nil || !wanted(s.problem, notes) {
		return false, err
	}
	p := &parts{}
	made := p.create(C.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
	set(p, made, C.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, config)
	s.ofPlan(p, made)
	p.finalize(made, "a plan")
	workspace := get(p, made, C.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, C.CUDNN_TYPE_INT64, make([]int64, 1))
	if p.err != nil || workspace[0] > maxWorkspace {
		return false, errors.Join(p.err, p.close())
	}
	s.made.plan, s.made.Engine, s.made.Rank, s.made.Workspace = made, number, s.rank, workspace[0]
	s.made.TensorCores = notes[C.CUDNN_NUMERICAL_NOTE_TENSOR_CORE]
	q.give(&s.made.parts, config)
	p.give(&s.made.parts, made) // behind it, to go before it
	return true, nil
}

// engineOf reads the number of a proposal's engine, and what is noted about it.
func engineOf(config descriptor) (number int, notes map[C.int]bool, err error) {
	p := &parts{}
	engine := p.create(C.CUDNN_BACKEND_ENGINE_DESCRIPTOR)
	get(p, config, C.CUDNN_ATTR_ENGINECFG_ENGINE, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, []descriptor{engine})
	numbers := get(p, engine, C.CUDNN_ATTR_ENGINE_GLOBAL_INDEX, C.CUDNN_TYPE_INT64, make([]int64, 1))
	notes = map[C.int]bool{}
	for _, note := range get(p, engine, C.CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, C.CUDNN_TYPE_NUMERICAL_NOTE, make([]C.int, 32)) {
		notes[note] = true
	}
	if p.err != nil {
		return 0, nil, errors.Join(p.err, p.close())
	}
	return int(numbers[0]), notes, p.close()
}

// wanted tells whether an engine gives the same bits each time, in float32 sums,
// and for exact problems doesn't round what it reads.
func wanted(c plan.Problem, notes map[C.int]bool) bool {
	switch {
	case notes[C.CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC], notes[C.CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION], notes[C.CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS]:
		return false
	}
	return c.Half || !c.Exact || !notes[C.CUDNN_NUMERICAL_NOTE_TENSOR_CORE]
}
