package compress

import (
	"sync"
	"sync/atomic"
	"time"
)

// watch tells the observer about every fifth of a second how far the counters
// are, until the function that it gives is called.
func watch(observe Observer, phase string, total, before int64, done, written *atomic.Int64) (stop func()) {
	if observe == nil {
		return func() {}
	}
	start, from := time.Now(), done.Load()
	tell := func() {
		fresh := done.Load() - from
		p := Progress{Phase: phase, Rows: before + fresh, Total: total, Written: written.Load()}
		if s := time.Since(start).Seconds(); s > 0 {
			p.PerSec = float64(fresh) / s
		}
		if p.PerSec > 0 && total >= p.Rows {
			p.Left = time.Duration(float64(total-p.Rows) / p.PerSec * float64(time.Second))
		}
		observe(p)
	}
	var wait sync.WaitGroup
	quit := make(chan struct{})
	wait.Go(func() {
		tick := time.NewTicker(time.Second / 5)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
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
