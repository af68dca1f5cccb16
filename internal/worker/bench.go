package worker

import (
	"context"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
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

// unkept is how many results may wait to be kept.
const unkept = 256

// Measure has so many tasks done, as many at once as there are slots, and each result
// kept by keep before it counts, which several goroutines call: a worker has its next
// task meanwhile.
func Measure(ctx context.Context, p *Pool, tasks int, keep func(record []byte) error) (b Bench, err error) {
	b.Tasks, b.Workers = tasks, p.Slots()
	if _, err := p.Hello(ctx); err != nil {
		return b, err
	}
	var mu sync.Mutex // guards done and the heap's sizes
	done := 0
	count := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; done%max(1, tasks/10) == 0 {
			b.Heap = append(b.Heap, heap())
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.Slots() + unkept)
	slots := make(chan struct{}, p.Slots())
	begin := time.Now()
	for n := range tasks {
		slots <- struct{}{}
		g.Go(func() error {
			r, err := p.Do(ctx, Order{Kind: "nothing", Spec: map[string]int{"number": n}})
			<-slots
			if err != nil {
				return err
			}
			if err := keep(append([]byte(nil), r.Data...)); err != nil {
				return err
			}
			count()
			return nil
		})
	}
	err = g.Wait()
	b.Seconds = time.Since(begin).Seconds()
	b.PerSecond = float64(tasks) / b.Seconds
	return b, err
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
