package algorithm

import (
	"moncae/search/inherit"
	"moncae/search/surrogate"
)

// Inherited says what a training begins with.
type Inherited struct {
	From   string  `json:"from"`   // id of the mother
	Share  float64 `json:"share"`  // of the candidate's values that are copies of hers
	Epochs int     `json:"epochs"` // of all trainings that led to hers
}

// mother is who gives a child its weights: a candidate that was told and has a score. It
// stands for its children too that are only ranked, whose children inherit from it.
type mother struct {
	id      string
	network inherit.Network
	epochs  int
}

// mother readies a trial for its children; nil where nothing can be inherited.
func (p Problem) mother(t Trial) *mother {
	if !p.Inherit {
		return nil
	}
	n, err := p.Describe(t.Genome)
	if err != nil {
		return nil
	}
	return &mother{t.ID, inherit.Network{Arch: n.Arch, Blocks: t.Genome.Active()}, t.Epochs}
}

// inherits has a described child begin with its mother's weights.
func (c *Proposal) inherits(m *mother) {
	if m != nil && c.Network != nil {
		c.Inherited = &Inherited{m.id, inherit.Share(inherit.Network{Arch: c.Network.Arch, Blocks: c.Genome.Active()}, m.network), m.epochs}
	}
}

// Feature is what a model knows of it, where trainings have some epochs of their own and
// the latent some values; of a nil, that nothing is inherited.
func (i *Inherited) Feature(epochs, values int) float64 {
	if i == nil {
		return 0
	}
	return surrogate.Inherited(i.Share, i.Epochs, epochs, values)
}

// features are what a model knows of a proposal.
func (p Problem) features(c Proposal) []float64 {
	x := surrogate.Features(c.Network.Arch, c.Network.Recipe, c.Genome.Rate)
	if p.Inherit {
		x = append(x, c.Inherited.Feature(p.Epochs, c.Network.Arch.Latent().Values()))
	}
	return x
}
