package worker

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Bench is what handing out tasks costs that take no time.
type Bench struct {
	Tasks     int     `json:"tasks"`
	Workers   int     `json:"workers"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"results_per_second"`
	// Heap is the coordinator's memory in use after each tenth of the tasks, bytes.
	Heap []uint64 `json:"heap_bytes"`
}

// Measure has so many tasks done, as many at once as there are slots, and each result
// kept by keep, one at a time, before it counts.
func Measure(ctx context.Context, p *Pool, tasks int, keep func(record []byte) error) (b Bench, err error) {
	b.Tasks, b.Workers = tasks, p.Slots()
	if _, err := p.Hello(ctx); err != nil {
		return b, err
	}
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex // guards what follows, and keep
		done   int
		failed error
		next   atomic.Int64
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	take := func() error {
		spec := map[string]int64{"number": next.Add(1)}
		r, err := p.Do(ctx, Order{Kind: "nothing", Spec: spec})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; done%max(1, tasks/10) == 0 {
			b.Heap = append(b.Heap, heap())
		}
		return keep(append(json.RawMessage(nil), r.Data...))
	}
	begin := time.Now()
	for i := range p.Slots() {
		wait.Go(func() {
			for n := i; n < tasks; n += p.Slots() {
				if err := take(); err != nil {
					mu.Lock()
					if failed == nil {
						failed = err
					}
					mu.Unlock()
					cancel()
					return
				}
			}
		})
	}
	wait.Wait()
	b.Seconds = time.Since(begin).Seconds()
	b.PerSecond = float64(tasks) / b.Seconds
	return b, failed
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
