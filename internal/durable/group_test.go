package durable

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// What comes while a commit runs shares the next; an error is that of those that shared.
func TestWhatComesTogetherIsKeptTogether(t *testing.T) {
	begun, goOn := make(chan int), make(chan error)
	g := Group[int]{Commit: func(all []int) error {
		begun <- len(all)
		return <-goOn
	}}
	errs := make(chan error)
	keep := func(n int) { errs <- g.Keep(n) }
	go keep(0)
	if n := <-begun; n != 1 {
		t.Fatalf("the first commit is of %d", n)
	}
	for n := range 9 {
		go keep(n)
	}
	for waiting := 0; waiting < 9; {
		g.mu.Lock()
		if g.next != nil {
			waiting = len(g.next.all)
		}
		g.mu.Unlock()
	}
	goOn <- nil
	if err := <-errs; err != nil {
		t.Error(err)
	}
	if n := <-begun; n != 9 {
		t.Errorf("the second commit is of %d", n)
	}
	goOn <- errInjected
	for range 9 {
		if err := <-errs; !errors.Is(err, errInjected) {
			t.Errorf("of a commit that failed: %v", err)
		}
	}
	go keep(1)
	<-begun
	goOn <- nil
	if err := <-errs; err != nil {
		t.Errorf("after a commit that failed: %v", err)
	}
}

// Whatever step fails, what was acknowledged is in the log, once, and nothing else.
func TestGroupedAppends(t *testing.T) {
	var steps atomic.Int64
	fs := FS{Fault: func(step, _ string) error {
		if n := steps.Add(1); step != "truncate" && n%7 == 0 {
			return errInjected
		}
		return nil
	}}
	path := filepath.Join(t.TempDir(), "log")
	l, err := fs.OpenLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	g := Group[string]{Commit: func(all []string) error { return l.Append([]byte(strings.Join(all, ""))) }}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var want []string
	for n := range 500 {
		wait.Go(func() {
			line := strconv.Itoa(n) + "\n"
			err := g.Keep(line)
			for ; errors.Is(err, errInjected); err = g.Keep(line) {
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, line)
		})
	}
	wait.Wait()
	got := slices.Collect(strings.Lines(read(t, path)))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines in the log, %d were acknowledged", len(got), len(want))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
