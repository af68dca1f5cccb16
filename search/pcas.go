package search

import (
	"slices"
	"sync"

	"moncae/internal/baseline"
)

// pcas are PCA's figures by number of values, each computed once. Of thousands of values
// that takes long: while trainings go on it is done in the background. Several
// goroutines may use it.
type pcas struct {
	pca        *baseline.PCA
	validation []int32

	// most is the largest number of values that there is time for; 0: any.
	most int

	computing sync.Mutex // held while pca works
	mu        sync.Mutex // guards what follows
	done      map[int]*baseline.Figures
	wanted    []int // to be done in the background, in this order
	working   bool  // a goroutine does them
}

func newPCAs(pca *baseline.PCA, validation []int32) *pcas {
	return &pcas{pca: pca, validation: validation, done: map[int]*baseline.Figures{}}
}

// known are the figures with so many values, as far as they have been computed.
func (p *pcas) known(values int) (f *baseline.Figures, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok = p.done[values]
	return f, ok
}

// at computes them where they aren't known; nil where PCA can't be had.
func (p *pcas) at(values int) *baseline.Figures {
	if p.most > 0 && values > p.most {
		return nil
	}
	p.computing.Lock()
	defer p.computing.Unlock()
	f, ok := p.known(values)
	if !ok {
		f = p.pca.At(values, p.validation)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done[values] = f
	}
	return f
}

// later has figures computed in the background, the fewest values first, instead of
// those that were wanted before.
func (p *pcas) later(values []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = slices.Sorted(slices.Values(values))
	if !p.working {
		p.working = true
		go p.work()
	}
}

// rest ends the background's work after the figures in hand.
func (p *pcas) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = nil
}

func (p *pcas) work() {
	for {
		p.mu.Lock()
		if len(p.wanted) == 0 {
			p.working = false
			p.mu.Unlock()
			return
		}
		n := p.wanted[0]
		p.wanted = p.wanted[1:]
		p.mu.Unlock()
		p.at(n)
	}
}
