package genome

import (
	"fmt"
	"math"
	"reflect"

	"moncae/internal/arch"
)

// Encode is Decode's inverse: the genome of the space that makes the network a, trained
// by r. Without an optimiser in r it is Adam's with a one-cycle schedule, in the middle
// of the rates. An error tells why the space has no such network.
func (s Space) Encode(a arch.Arch, r arch.Recipe) (g Genome, err error) {
	encoder, decoder := units(a.Encoder), units(a.Decoder)
	if len(encoder) == 0 || len(decoder) != len(encoder)+1 {
		return g, fmt.Errorf("its encoder has %d convolutions, its decoder %d: it takes one more, which makes the image", len(encoder), len(decoder))
	}
	if len(encoder) > s.MaxBlocks {
		return g, fmt.Errorf("it has %d blocks, the space has %d at most: give --max-layers %d", len(encoder), s.MaxBlocks, len(encoder))
	}
	for i, e := range encoder {
		d := decoder[len(encoder)-1-i] // its mirror
		b := Block{Active: true, Filters: e.filters, Kernel: d.kernel, BatchNorm: e.norm, Activation: e.activation, Dropout: e.dropout, Pool: e.pool, Skip: e.add || d.add}
		if i == len(encoder)-1 && s.Name == Extended {
			g.Latent = Latent{e.filters, e.activation}
			b.Filters, b.Activation = d.filters, d.activation
		}
		g.Blocks = append(g.Blocks, b)
	}
	g = s.Widen(g)
	if err := s.encodeRecipe(&g, r); err != nil {
		return g, err
	}
	if err := s.Check(g); err != nil {
		return g, err
	}
	back, _, err := s.Decode(g, a.Input, Limits{})
	if err != nil {
		return g, err
	}
	return g, differ(back, a)
}

func (s Space) encodeRecipe(g *Genome, r arch.Recipe) error {
	g.Optimizer, g.Schedule, g.Rate = r.Optimizer, r.Schedule, 0.5
	if r.Optimizer == "" {
		g.Optimizer, g.Schedule = arch.Adam, arch.OneCycle
		return nil
	}
	if err := r.Validate(); err != nil {
		return err
	}
	ends := rates[s.Rates][r.Optimizer]
	if r.LearningRate < ends[0] || r.LearningRate > ends[1] {
		return fmt.Errorf("its learning rate is %v, the space has %v to %v for %s: change it, or leave the recipe away", r.LearningRate, ends[0], ends[1], r.Optimizer)
	}
	rate := math.Log(r.LearningRate/ends[0]) / math.Log(ends[1]/ends[0])
	g.Rate = min(max(rate, 0), math.Nextafter(1, 0)) // the upper end is a rounding's
	return nil
}

// unit is a convolution with what follows it up to the next one.
type unit struct {
	filters, kernel int
	norm, add       bool
	activation      arch.Activation
	dropout         float64
	pool            Pool
}

func units(s arch.Stack) (all []unit) {
	for _, l := range s {
		if l.Kind == arch.Conv || l.Kind == arch.Transpose {
			u := unit{filters: l.Filters, kernel: l.Kernel, pool: NoPool}
			if l.Stride == 2 {
				u.pool = Strided
			}
			all = append(all, u)
			continue
		}
		if len(all) == 0 {
			continue // told by differ
		}
		switch u := &all[len(all)-1]; l.Kind {
		case arch.BatchNorm:
			u.norm = true
		case arch.Add:
			u.add = true
		case arch.Activate:
			u.activation = l.Activation
		case arch.Dropout:
			u.dropout = l.Rate
		case arch.MaxPool:
			u.pool = MaxPool
		}
	}
	return all
}

// differ tells the first layer in which a is another network than the space's nearest.
func differ(nearest, a arch.Arch) error {
	for _, part := range []struct {
		name      string
		want, got arch.Stack
	}{{"encoder", nearest.Encoder, a.Encoder}, {"decoder", nearest.Decoder, a.Decoder}} {
		for i := range max(len(part.want), len(part.got)) {
			switch {
			case i >= len(part.got):
				return fmt.Errorf("its %s ends where the space's nearest network has %s", part.name, described(part.want[i]))
			case i >= len(part.want):
				return fmt.Errorf("its %s has %s (layer %d) where the space's nearest network ends", part.name, described(part.got[i]), i)
			case !reflect.DeepEqual(part.want[i], part.got[i]):
				return fmt.Errorf("layer %d of its %s is %s, the space's nearest network has %s", i, part.name, described(part.got[i]), described(part.want[i]))
			}
		}
	}
	return nil
}

func described(l arch.Layer) string {
	switch l.Kind {
	case arch.Conv:
		return fmt.Sprintf("conv of %d filters, %d×%d, stride %d", l.Filters, l.Kernel, l.Kernel, l.Stride)
	case arch.Transpose:
		return fmt.Sprintf("conv_transpose of %d filters, %d×%d", l.Filters, l.Kernel, l.Kernel)
	case arch.Activate:
		return string(l.Activation)
	case arch.Dropout:
		return fmt.Sprintf("dropout %v", l.Rate)
	}
	return string(l.Kind)
}
