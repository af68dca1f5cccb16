package plan

import "moncae/internal/engine/lower"

// align is that of tensors, in bytes: a page.
const align = 4096

// place gives every tensor an offset.
func (p *Plan) place() {
	offsets, total := lower.Place(p.lives(), align)
	for i, at := range offsets {
		p.Tensors[i].Offset = at
	}
	p.Arena = total
}

// lives are the first and last steps that touch each tensor. What an inference
// hands out lives to the end; so do the bytes, which its metrics compare with.
func (p *Plan) lives() []lower.Block {
	life := make([]lower.Block, len(p.Tensors))
	for i := range life {
		life[i] = lower.Block{Bytes: p.Tensors[i].Bytes(), First: -1}
	}
	for i := range p.Steps {
		for _, t := range p.Steps[i].tensors() {
			if life[t].First < 0 {
				life[t].First = i
			}
			life[t].Last = i
		}
	}
	if !p.Training {
		for i := range p.Tensors {
			if i == p.Latent || i == p.Logits || p.Tensors[i].Width == 1 {
				life[i].Last = len(p.Steps)
			}
		}
	}
	return life
}
