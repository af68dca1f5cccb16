package search

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// job is one training to do.
type job struct {
	cost  float64 // how long it may take, in any unit
	bytes int64   // of memory while it runs
	do    func(context.Context) error
	after func() // nil, or what is to be called when the job is done and counted
}

// crew does jobs, so many at once, the longest of those that wait first, and so
// that those that run together stay within memory (0: no limit); a job that is
// larger alone runs alone. The first error ends the others.
type crew struct {
	ctx     context.Context // over with the first error
	cancel  context.CancelFunc
	wait    sync.WaitGroup
	workers int
	began   time.Time

	mu      sync.Mutex
	changed sync.Cond
	jobs    []job // that wait
	closed  bool  // no more will come
	limited bool
	free    int64
	running int
	busy    time.Duration
	errs    []error
}

// hire begins a crew; finish ends it.
func hire(ctx context.Context, workers int, memory int64) *crew {
	c := &crew{workers: workers, began: time.Now(), free: memory, limited: memory > 0}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.changed.L = &c.mu
	for range workers {
		c.wait.Go(c.work)
	}
	return c
}

// add gives the crew jobs to do.
func (c *crew) add(jobs ...job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs = append(c.jobs, jobs...)
	slices.SortStableFunc(c.jobs, func(a, b job) int { return cmp.Compare(b.cost, a.cost) })
	c.changed.Broadcast()
}

// finish waits for all jobs and gives the error that ended them.
func (c *crew) finish() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	c.wait.Wait()
	c.cancel()
	return first(c.errs...)
}

// idle is the time that workers had nothing to do, summed. Jobs under way count
// as idle until they end.
func (c *crew) idle() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Duration(c.workers)*time.Since(c.began)-c.busy)
}

func (c *crew) work() {
	for j, ok := c.take(); ok; j, ok = c.take() {
		start := time.Now()
		err := j.do(c.ctx)
		c.give(j, err, time.Since(start))
		if err == nil && j.after != nil {
			j.after()
		}
	}
}

// take waits for the first job that fits; not ok means that there will be none.
func (c *crew) take() (job, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if len(c.errs) > 0 || c.closed && len(c.jobs) == 0 {
			return job{}, false
		}
		for i, j := range c.jobs {
			if !c.limited || j.bytes <= c.free || c.running == 0 {
				c.jobs = slices.Delete(c.jobs, i, i+1)
				c.free -= j.bytes
				c.running++
				return j, true
			}
		}
		c.changed.Wait()
	}
}

// give returns a job's memory; after a failure nothing is taken any more.
func (c *crew) give(j job, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free += j.bytes
	c.running--
	c.busy += took
	if err != nil {
		c.errs = append(c.errs, err)
		c.cancel()
	}
	c.changed.Broadcast()
}

// runJobs does all jobs with a crew of their own.
func runJobs(ctx context.Context, jobs []job, workers int, memory int64) (idle time.Duration, err error) {
	c := hire(ctx, workers, memory)
	c.add(jobs...)
	err = c.finish()
	return c.idle(), err
}
