package plan

import "moncae/internal/engine"

// Costs are those of the steps of a training step: bytes of the tensors that each names,
// once each, and multiply-adds of convolutions. What a kernel reads more often, vectors of
// a channel's values and cuDNN's scratch memory don't count: no way does with less, as long
// as each step brings its tensors from memory and back.
func (p *Plan) Costs() []engine.Cost {
	var all []engine.Cost
	for _, s := range p.Train {
		switch s := s.(type) {
		case Conv:
			s.Workspace = Ref{In: Null}
			weight := int64(s.O) * int64(s.Kernel*s.Kernel*s.C) * 4
			if s.Half {
				weight /= 2
			}
			all = append(all, engine.Cost{Bytes: p.tensors(s) + weight, MACs: s.MACs()})
		case Launch:
			all = append(all, engine.Cost{Bytes: p.tensors(s) + p.outside(s), MACs: s.MACs})
		}
	}
	return all
}

// tensors are the bytes of a step's buffers in the arena.
func (p *Plan) tensors(s Step) (bytes int64) {
	seen := map[int]bool{}
	for _, r := range Refs(s) {
		if r.In == Arena && !seen[r.Buffer] {
			seen[r.Buffer] = true
			bytes += p.Size(r)
		}
	}
	return bytes
}

// outside are the bytes that a launch reads and writes elsewhere: the data's, sums, and all
// parameters where it is the optimiser.
func (p *Plan) outside(l Launch) (bytes int64) {
	for _, s := range l.Sums {
		bytes += int64(s.Width) * 4
		if s.From.In != Arena {
			bytes += s.Bytes()
		}
	}
	slots := false
	for _, r := range Refs(l) {
		slots = slots || r.In == SlotA
	}
	if !slots {
		return bytes
	}
	for _, r := range Refs(l) {
		switch r.In {
		case Params, Grads, SlotA, SlotB:
			bytes += int64(p.Layout.Trained) * 4
		case HalfParam:
			bytes += int64(p.Layout.Trained) * 2
		}
	}
	return bytes
}
