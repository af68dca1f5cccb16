package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// stuck is a pool of two, one of which hangs at a task that takes no time, until the
// file that is named like it with .answer says what to answer.
func stuck(t *testing.T) (p *Pool, task string) {
	t.Helper()
	p = NewPool(Options{
		Slots: 2, Backup: true, Launch: Local(func(int) []string { return []string{"worker"} }, nil), Check: func(Hello) error { return nil },
	})
	task = t.TempDir() + "/task"
	for range 5 {
		if r, err := p.Do(context.Background(), order("", nil)); err != nil || string(r.Data) != `"same"` {
			t.Fatalf("%s, %v", r.Data, err)
		}
	}
	if err := os.WriteFile(task, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return p, task
}

func order(task string, event func(json.RawMessage, []Part) error) Order {
	return Order{Kind: "twice", Spec: task, Event: event, Same: func(a, b Result) bool { return bytes.Equal(a.Data, b.Data) }}
}

// settled waits until nothing is under way.
func settled(t *testing.T, p *Pool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		left := len(p.flights)
		p.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d tasks are under way still", left)
		}
	}
}

// A worker that hangs costs its task no retry: one with nothing to do takes it on.
// What the first says when it comes back has to be the same.
func TestAnIdleWorkerTakesOnALateTask(t *testing.T) {
	const differ = "two workers gave different results for the same task (worker "
	for answer, want := range map[string]string{"same": "", "another": differ, "late": differ} {
		p, task := stuck(t)
		heard := 0
		r, err := p.Do(context.Background(), order(task, func(json.RawMessage, []Part) error { heard++; return nil }))
		if err != nil || string(r.Data) != `"same"` || heard != 1 {
			t.Fatalf("%s, %v, %d events", r.Data, err, heard)
		}
		if err := os.WriteFile(task+".new", []byte(answer), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(task+".new", task+".answer"); err != nil {
			t.Fatal(err)
		}
		settled(t, p)
		if answer == "late" { // nobody wants anything any more: closing tells
			if err := p.Close(); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, wanted %q", err, want)
			}
			continue
		}
		_, err = p.Do(context.Background(), order("", nil))
		if (err != nil) != (want != "") || err != nil && !strings.HasPrefix(err.Error(), "not begun, for "+want) {
			t.Errorf("the next task after %q: %v", answer, err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("it is told twice: %v", err)
		}
	}
}

// A try beside another one is given up for a task that waits, and at the end.
func TestAPlaceIsGivenUpForOtherTasks(t *testing.T) {
	p, task := stuck(t)
	if _, err := p.Do(context.Background(), order(task, nil)); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir() + "/other"
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		o := order(other, func(json.RawMessage, []Part) error { ended <- nil; return nil })
		o.Same = nil
		_, err := p.Do(ctx, o)
		ended <- err
	}()
	if err := <-ended; err != nil { // it has one place, and the task that is over another
		t.Fatal(err)
	}
	do(t, p, "pid", 0)
	settledBut := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.flights)
	}
	if n := settledBut(); n > 2 {
		t.Errorf("%d tasks are under way", n)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
