package search

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// job is one training to do.
type job struct {
	cost  float64 // how long it may take, in any unit
	bytes int64   // of memory while it runs
	do    func(context.Context) error
}

// runJobs does all jobs, so many at once, the longest first, and so that those
// that run together stay within memory (0: no limit); a job that is larger alone
// runs alone. The first error ends the others. idle is the time that workers had
// nothing to do, summed.
func runJobs(ctx context.Context, jobs []job, workers int, memory int64) (idle time.Duration, err error) {
	q := &queue{jobs: slices.Clone(jobs), free: memory, limited: memory > 0}
	q.changed.L = &q.mu
	slices.SortStableFunc(q.jobs, func(a, b job) int { return cmp.Compare(b.cost, a.cost) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wait  sync.WaitGroup
		begin = time.Now()
		busy  = make([]time.Duration, workers)
		errs  = make([]error, workers)
	)
	for w := range workers {
		wait.Go(func() {
			for j, ok := q.take(); ok; j, ok = q.take() {
				start := time.Now()
				errs[w] = j.do(ctx)
				busy[w] += time.Since(start)
				q.give(j, errs[w] != nil)
				if errs[w] != nil {
					cancel()
					return
				}
			}
		})
	}
	wait.Wait()
	idle = time.Duration(workers) * time.Since(begin)
	for _, b := range busy {
		idle -= b
	}
	return max(idle, 0), first(errs)
}

// first prefers the error that ended the others to the cancellations it caused.
func first(errs []error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// queue hands jobs out.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond
	jobs    []job
	limited bool
	free    int64
	running int
}

// take waits for the first job that fits; not ok means that none is left.
func (q *queue) take() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if len(q.jobs) == 0 {
			return job{}, false
		}
		for i, j := range q.jobs {
			if !q.limited || j.bytes <= q.free || q.running == 0 {
				q.jobs = slices.Delete(q.jobs, i, i+1)
				q.free -= j.bytes
				q.running++
				return j, true
			}
		}
		q.changed.Wait()
	}
}

// give returns a job's memory; after a failure nothing is handed out any more.
func (q *queue) give(j job, failed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free += j.bytes
	q.running--
	if failed {
		q.jobs = nil
	}
	q.changed.Broadcast()
}
