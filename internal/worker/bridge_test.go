//go:build unix

package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/fault"
)

// fakeBridge is a bridge whose workers are in it. Its address says how it misbehaves.
func fakeBridge(options string) int {
	var o struct {
		Socket, Address string
		Slots           int
	}
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		return 9
	}
	switch o.Address {
	case "nowhere":
		fmt.Println(`{"failed":{"error":"there is no cluster","code":4}}`)
		return 4
	case "broken":
		fmt.Fprintln(os.Stderr, "No module named moncae")
		return 1
	}
	l, err := net.Listen("unix", o.Socket)
	if err != nil {
		return 9
	}
	fmt.Printf(`{"ready":{"slots":%d}}`+"\n", o.Slots)
	var out sync.Mutex
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if o.Address == "full" && n > 1 {
				continue // it waits for a place
			}
			go func() {
				in := bufio.NewReader(c)
				var launch struct{ Launch int64 }
				line, err := in.ReadBytes('\n')
				if err != nil || json.Unmarshal(line, &launch) != nil {
					return
				}
				s := server()
				s.Hello.Where = "node 7"
				s.Kinds["plant"] = plant
				s.Kinds["die"] = func(context.Context, Task, Say) (Result, error) { return Result{}, c.Close() }
				err = s.Serve(context.Background(), in, c)
				out.Lock()
				defer out.Unlock()
				fmt.Printf(`{"said":"moncae: of %d"}`+"\n"+`{"ended":{"id":%d,"how":"node 7 went","code":%d}}`+"\n", launch.Launch, launch.Launch, fault.Of(err))
				_ = c.Close() // it may have been closed
			}()
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
	}
	return 0
}

func bridged(t *testing.T, address string, slots int) (*Pool, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBridge(context.Background(), []string{self, "bridge"}, BridgeOptions{Address: address, Slots: slots}, func(string) {})
	if err != nil {
		return nil, err
	}
	p := NewPool(Options{Slots: b.Slots(), Launch: b.Launch, Ahead: b.Close, Check: func(Hello) error { return nil }})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, nil
}

func TestBridge(t *testing.T) {
	p, err := bridged(t, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for n := range 50 {
		wait.Go(func() {
			if got := do(t, p, "echo", n); got != fmt.Sprint(n) {
				t.Errorf("task %d: %s", n, got)
			}
		})
	}
	wait.Wait()
	_, err = p.Do(context.Background(), Order{Kind: "die", Spec: 0})
	lost := (*Lost)(nil)
	if !errors.As(err, &lost) || lost.Ends[0] != "node 7 went" {
		t.Errorf("a task that no worker lives to end: %v", err)
	}
	do(t, p, "echo", 0)
	_, err = p.Do(context.Background(), Order{Kind: "plant", Spec: map[string]string{"do": "refuse"}})
	if fault.Of(err) != fault.Usage || err.Error() != "node 7: the data are not here" {
		t.Errorf("a refused task: %v", err)
	}
	do(t, p, "echo", 0)
}

// A worker that waits for its place keeps no task waiting, and neither the end.
func TestWorkersThatBeginLate(t *testing.T) {
	p, err := bridged(t, "full", 3)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 9 {
		wait.Go(func() { do(t, p, "echo", 1) })
	}
	wait.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	busy := make(chan bool)
	go func() {
		_, err := p.Do(ctx, Order{Kind: "wait", Spec: 0, Event: func(json.RawMessage, []Part) error { return nil }})
		busy <- errors.Is(err, context.DeadlineExceeded)
	}()
	if _, err := p.Do(ctx, Order{Kind: "wait", Spec: 1}); !errors.Is(err, context.DeadlineExceeded) || !<-busy {
		t.Errorf("a task that waits for a worker, when its command ends: %v", err)
	}
}

func TestBridgesThatCantBegin(t *testing.T) {
	for address, want := range map[string]string{"nowhere": "there is no cluster", "broken": "(No module named moncae): pip install"} {
		if _, err := bridged(t, address, 1); fault.Of(err) != fault.Missing || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
