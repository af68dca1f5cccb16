package lower

import "sort"

const align = 4096

// span is a tensor's life, in steps.
type span struct{ first, last int }

func (s span) meets(o span) bool { return s.first <= o.last && o.first <= s.last }

// place gives every tensor an offset: the largest first, each at the lowest
// place where no tensor of the same time lies.
func (p *Plan) place() {
	life := p.lives()
	bySize := make([]int, len(p.Tensors))
	for i := range bySize {
		bySize[i] = i
	}
	sort.SliceStable(bySize, func(a, b int) bool {
		return p.Tensors[bySize[a]].Bytes() > p.Tensors[bySize[b]].Bytes()
	})
	var placed []int // by offset
	for _, t := range bySize {
		size, at := roundUp(p.Tensors[t].Bytes()), 0
		for _, q := range placed {
			if !life[q].meets(life[t]) {
				continue
			}
			if at+size <= p.Tensors[q].Offset {
				break
			}
			at = max(at, p.Tensors[q].Offset+roundUp(p.Tensors[q].Bytes()))
		}
		p.Tensors[t].Offset = at
		p.Arena = max(p.Arena, at+size)
		i := sort.Search(len(placed), func(i int) bool { return p.Tensors[placed[i]].Offset > at })
		placed = append(placed[:i], append([]int{t}, placed[i:]...)...)
	}
}

// lives are the first and last steps that touch each tensor. What an inference
// hands out lives to the end; so do the bytes, which its metrics compare with.
func (p *Plan) lives() []span {
	life := make([]span, len(p.Tensors))
	for i := range life {
		life[i] = span{first: -1}
	}
	for i := range p.Steps {
		for _, t := range p.Steps[i].tensors() {
			if life[t].first < 0 {
				life[t].first = i
			}
			life[t].last = i
		}
	}
	if !p.Training {
		for i := range p.Tensors {
			if i == p.Latent || i == p.Logits || p.Tensors[i].Width == 1 {
				life[i].last = len(p.Steps)
			}
		}
	}
	return life
}

func roundUp(n int) int { return (n + align - 1) / align * align }
