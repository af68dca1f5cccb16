package cli

import (
	"math"

	"moncae/internal/run"
)

// pace counts trainings for the generation that is told. Where a search trains some
// of a later one before that, they count when their generation's time has come.
type pace struct {
	now   int // generation; all are past in a finetuning
	early map[int]tally
}

// tally is of a generation's trainings: those over, their images, and the images that
// they spared by stopping early.
type tally struct{ over, images, spared int }

// counted gives what counts now of a candidate's progress.
func (p *pace) counted(id string, t tally) tally {
	g := run.GenerationOf(id)
	if g <= p.now {
		return t
	}
	if p.early == nil {
		p.early = map[int]tally{}
	}
	e := p.early[g]
	p.early[g] = tally{e.over + t.over, e.images + t.images, e.spared + t.spared}
	return tally{}
}

// generation goes on to a generation, and gives what was done of it before.
func (p *pace) generation(g int) tally {
	p.now = g
	return p.early[g]
}

func (p *pace) finetuning() { p.now = math.MaxInt }
