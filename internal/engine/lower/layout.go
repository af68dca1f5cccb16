package lower

import "moncae/internal/arch"

// Layout is where each parameter lies in one flat array: the trained ones first,
// then running averages, each group in the order of the net's parameters.
type Layout struct {
	Offset         map[string]int // values
	Trained, Total int            // values
}

// NewLayout lays out parameters, each at a multiple of align values.
func NewLayout(params []arch.Param, align int) Layout {
	l := Layout{Offset: map[string]int{}}
	for _, trained := range []bool{true, false} {
		for _, p := range params {
			if p.Trained() == trained {
				l.Offset[p.Name] = l.Total
				l.Total += roundUp(p.Size(), align)
			}
		}
		if trained {
			l.Trained = l.Total
		}
	}
	return l
}

func roundUp(n, align int) int { return (n + align - 1) / align * align }
