package compress

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	tick   = time.Second / 5
	recent = 50 // ticks that the rate is taken over
)

// watch tells the observer at every tick how far the counters are, until the
// function that it gives is called.
func watch(observe Observer, phase string, total, before int64, done, written *atomic.Int64) (stop func()) {
	if observe == nil {
		return func() {}
	}
	from := done.Load()
	marks := []mark{{time.Now(), 0}}
	tell := func() {
		now := mark{time.Now(), done.Load() - from}
		p := Progress{Phase: phase, Rows: before + now.rows, Total: total, Written: written.Load()}
		p.PerSec = now.rate(marks[0])
		if p.PerSec > 0 && total >= p.Rows {
			p.Left = time.Duration(float64(total-p.Rows) / p.PerSec * float64(time.Second))
		}
		if marks = append(marks, now); len(marks) > recent {
			marks = marks[1:]
		}
		observe(p)
	}
	var wait sync.WaitGroup
	quit := make(chan struct{})
	wait.Go(func() {
		clock := time.NewTicker(tick)
		defer clock.Stop()
		for {
			select {
			case <-clock.C:
				tell()
			case <-quit:
				tell()
				return
			}
		}
	})
	return func() {
		close(quit)
		wait.Wait()
	}
}

// mark is how many rows were done at a time.
type mark struct {
	at   time.Time
	rows int64
}

// rate is the rows a second since an earlier mark.
func (m mark) rate(since mark) float64 {
	if s := m.at.Sub(since.at).Seconds(); s > 0 {
		return float64(m.rows-since.rows) / s
	}
	return 0
}
