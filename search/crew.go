package search

import (
	"context"
	"sync"
	"time"

	"moncae/internal/schedule"
)

// job is one training to do.
type job struct {
	cost  float64 // how long it may take, in any unit
	bytes int64   // of memory while it runs
	do    func(context.Context) error
	after func() // nil, or what is to be called when the job is done and counted
}

// Size orders jobs that wait.
func (j job) Size() (cost float64, bytes int64) { return j.cost, j.bytes }

// crew does jobs, so many at once, in the order of a schedule.Queue. The first error
// ends the others.
type crew struct {
	ctx     context.Context // over with the first error
	cancel  context.CancelFunc
	wait    sync.WaitGroup
	workers int
	began   time.Time

	mu      sync.Mutex
	changed sync.Cond
	jobs    *schedule.Queue[job]
	closed  bool // no more will come
	busy    time.Duration
	errs    []error
}

// hire begins a crew whose jobs stay within memory (0: no limit); finish ends it.
func hire(ctx context.Context, workers int, memory int64) *crew {
	c := &crew{workers: workers, began: time.Now(), jobs: schedule.NewQueue[job](memory)}
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
	c.jobs.Add(jobs...)
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
		if len(c.errs) > 0 || c.closed && c.jobs.Len() == 0 {
			return job{}, false
		}
		if j, ok := c.jobs.Take(); ok {
			return j, true
		}
		c.changed.Wait()
	}
}

// give returns a job's memory; after a failure nothing is taken any more.
func (c *crew) give(j job, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs.Give(j)
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
