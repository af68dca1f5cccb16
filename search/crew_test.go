package search

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLongestJobFirst(t *testing.T) {
	var order []float64
	var jobs []job
	for _, cost := range []float64{2, 5, 1, 5, 4} {
		jobs = append(jobs, job{cost: cost, do: func(context.Context) error { order = append(order, cost); return nil }})
	}
	if _, err := runJobs(context.Background(), jobs, 1, 0); err != nil {
		t.Fatal(err)
	}
	if want := []float64{5, 5, 4, 2, 1}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestJobsStayWithinMemory(t *testing.T) {
	const memory = 100
	var mu sync.Mutex
	var used, most, alone int64
	var jobs []job
	for _, bytes := range []int64{60, 60, 30, 30, 30, 150, 10} {
		jobs = append(jobs, job{bytes: bytes, do: func(context.Context) error {
			mu.Lock()
			used += bytes
			if bytes > memory {
				alone = used
			} else {
				most = max(most, used)
			}
			mu.Unlock()
			mu.Lock()
			used -= bytes
			mu.Unlock()
			return nil
		}})
	}
	if _, err := runJobs(context.Background(), jobs, 4, memory); err != nil {
		t.Fatal(err)
	}
	if most > memory || alone != 150 {
		t.Errorf("%d bytes at once, the large job among %d", most, alone)
	}
}

func TestFirstErrorEndsTheOthers(t *testing.T) {
	broken := errors.New("broken")
	var ran atomic.Int32
	jobs := []job{{cost: 9, do: func(context.Context) error { return broken }}}
	for range 50 {
		jobs = append(jobs, job{cost: 1, do: func(ctx context.Context) error {
			ran.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}})
	}
	if _, err := runJobs(context.Background(), jobs, 3, 0); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if n := ran.Load(); n > 3 {
		t.Errorf("%d jobs were begun beside a failing one", n)
	}
}
