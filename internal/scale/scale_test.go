package scale

import (
	"math"
	"reflect"
	"testing"
)

// calm is a cluster where nothing goes wrong, and nothing takes time but trainings.
func calm(workers int) Cluster {
	return Cluster{Workers: workers, NodeWorkers: 2, Bandwidth: 1e9, Results: math.Inf(1)}
}

// generations is a search of generations of so many trainings.
func generations(population int, seconds ...float64) Plan {
	p := Plan{Sees: func(k int) int { return k - k%population }, Waits: "the ends of generations"}
	for _, s := range seconds {
		p.Tasks = append(p.Tasks, Task{Seconds: s, Cost: s, Bytes: 1e5})
	}
	return p
}

func windowed(window int, seconds ...float64) Plan {
	p := generations(1, seconds...)
	p.Sees, p.Waits = func(k int) int { return max(0, k-window+1) }, "the window"
	return p
}

func whole(t *testing.T, r Result) {
	t.Helper()
	sum := r.Utilisation
	for cause, share := range r.Lost {
		if sum += share; share < -1e-9 {
			t.Errorf("%s took %v of the time", cause, share)
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the shares of all time are %v: %+v", sum, r)
	}
}

// Small cases that are counted by hand.
func TestWallTimes(t *testing.T) {
	slow := calm(1)
	slow.Slow, slow.SlowBy = 1, 3
	deciding := calm(2)
	deciding.Decision = 1
	keeping := calm(2)
	keeping.Results = 0.5
	begin := calm(4)
	begin.Start, begin.Data = 5, 1e9
	for name, c := range map[string]struct {
		plan    Plan
		cluster Cluster
		wall    float64
		limit   string
	}{
		"the longest first":                       {generations(4, 1, 1, 2, 4), calm(2), 4, ""},
		"a generation waits for its longest":      {generations(2, 1, 4, 2, 2), calm(2), 6, "the ends of generations"},
		"a window goes on":                        {windowed(3, 1, 4, 2, 2), calm(2), 5, "the window"},
		"a window waits for the oldest":           {windowed(2, 9, 1, 1, 1), calm(2), 10, "the window"},
		"places whose results are there are free": {generations(2, 3, 0, 0, 3), calm(1), 6, ""},
		"a slow worker":                           {generations(1, 2), slow, 6, Stragglers},
		"decisions one by one":                    {generations(2, 3, 3), deciding, 5, Deciding},
		"results one by one":                      {generations(2, 3, 3), keeping, 7, Keeping},
		"starts, and data from node to node":      {generations(4, 3, 3, 3, 3), begin, 10, Starting},
	} {
		r := Simulate(c.plan, c.cluster, 1)
		whole(t, r)
		if math.Abs(r.Wall-c.wall) > 1e-2 || r.Limit != c.limit && c.limit != "" {
			t.Errorf("%s: %v s, limited by %s; want %v s, %s", name, r.Wall, r.Limit, c.wall, c.limit)
		}
	}
}

// Whatever happens, no time is counted twice or forgotten, and equal seeds give equal results.
func TestTroubleIsCounted(t *testing.T) {
	var seconds []float64
	for i := range 400 {
		seconds = append(seconds, float64(20+i*37%90))
	}
	c := Cluster{
		Workers: 20, NodeWorkers: 4, Start: 2, Data: 1e9, Bandwidth: 1e9, Results: 100, Decision: 0.1, Checkpoint: 15,
		Failure: 900, Preemption: 3000, Away: 60, Slow: 0.1, SlowBy: 4, Backup: true,
	}
	for _, p := range []Plan{generations(20, seconds...), windowed(25, seconds...)} {
		r := Simulate(p, c, 7)
		whole(t, r)
		if r.Trainings != 400 || r.Deaths == 0 || r.Preemptions == 0 || r.Backups == 0 || r.Utilisation > 0.95 {
			t.Errorf("%+v", r)
		}
		if again := Simulate(p, c, 7); !reflect.DeepEqual(r, again) {
			t.Errorf("the same seed: %+v, then %+v", r, again)
		}
		if other := Simulate(p, c, 8); other.Wall == r.Wall {
			t.Error("another seed changes nothing")
		}
		without := c
		without.Backup = false
		if slower := Simulate(p, without, 7); slower.Backups != 0 || slower.Wall <= r.Wall {
			t.Errorf("without second tries it takes %v s, with them %v s", slower.Wall, r.Wall)
		}
		calmer := c
		calmer.Failure, calmer.Preemption, calmer.Slow = 0, 0, 0
		if better := Simulate(p, calmer, 7); better.Wall >= r.Wall || better.Deaths+better.Preemptions+better.Failed != 0 {
			t.Errorf("without trouble: %+v", better)
		}
	}
}

// A training whose workers die twice has failed, and nothing of it counts.
func TestTwoDeathsEndATraining(t *testing.T) {
	c := calm(2)
	c.Failure = 1
	r := Simulate(generations(2, 1e6, 1e6), c, 3)
	whole(t, r)
	if r.Failed != 2 || r.Deaths < 4 || r.Utilisation != 0 || r.Limit != Redone {
		t.Errorf("%+v", r)
	}
}
