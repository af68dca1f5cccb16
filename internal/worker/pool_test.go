package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/fault"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(child(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == "bridge" {
		os.Exit(fakeBridge(os.Args[2]))
	}
	os.Exit(m.Run())
}

// child is a worker of kinds that misbehave.
func child(args []string) int {
	mode := ""
	if len(args) > 0 {
		mode = args[0]
	}
	hello := Hello{Protocol: Protocol, Version: "test"}
	switch mode {
	case "mute":
		fmt.Fprintln(os.Stderr, "moncae: the device is away")
		return 4
	case "chatty":
		fmt.Println("hello, I am a library")
	case "later":
		hello.Protocol = 2
	}
	held := map[string][]byte{}
	s := Server{
		Hello: hello,
		Kinds: map[string]Kind{
			"pid":  func(context.Context, Task, Say) (Result, error) { return jsonResult(os.Getpid()) },
			"echo": Nothing,
			"held": func(_ context.Context, t Task, _ Say) (Result, error) {
				var key string
				if err := json.Unmarshal(t.Spec, &key); err != nil {
					return Result{}, err
				}
				return jsonResult(len(held[key]))
			},
			"plant": plant,
			"twice": twice,
		},
		Keeps: map[string]Keep{"bytes": func(key string, _ json.RawMessage, parts []Part) error {
			if mode == "forgetful" {
				os.Exit(9)
			}
			held[key] = parts[0].Content
			return nil
		}},
	}
	if err := s.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "moncae: "+err.Error())
		return int(fault.Of(err))
	}
	return 0
}

func jsonResult(v any) (Result, error) {
	b, err := json.Marshal(v)
	return Result{Data: b}, err
}

// plant does what its spec says, once where there is a file that says so.
func plant(ctx context.Context, t Task, say Say) (Result, error) {
	var p struct{ Do, Once string }
	if err := json.Unmarshal(t.Spec, &p); err != nil {
		return Result{}, err
	}
	if p.Once != "" {
		if os.Remove(p.Once) != nil {
			return jsonResult("well: " + string(Find(t.Parts, "from")))
		}
	}
	switch p.Do {
	case "fail":
		return Result{}, errors.New("the device fell off")
	case "refuse":
		return Result{}, fault.Usagef("the data are not here")
	case "panic":
		panic("a bug")
	case "hang":
		select {}
	case "checkpoint":
		if err := say(1, NewPart("checkpoint", []byte("half"))); err != nil {
			return Result{}, err
		}
		os.Exit(3)
	case "wait":
		if err := say(0); err != nil {
			return Result{}, err
		}
		<-ctx.Done()
		if err := say(1, NewPart("checkpoint", []byte("kept"))); err != nil {
			return Result{}, err
		}
		return Result{}, ctx.Err()
	case "garbage":
		fmt.Println("I am a native library")
	case "slow":
		for i := range 10 {
			time.Sleep(30 * time.Millisecond)
			if err := say(i); err != nil {
				return Result{}, err
			}
		}
	default:
		return Result{}, signalSelf(p.Do)
	}
	return jsonResult("done")
}

// twice gives "same"; the first process to take the task that has a file waits for
// another one, and gives what that says.
func twice(ctx context.Context, t Task, say Say) (Result, error) {
	var file string
	if err := json.Unmarshal(t.Spec, &file); err != nil {
		return Result{}, err
	}
	if os.Remove(file) != nil {
		return jsonResult("same")
	}
	if err := say(0, NewPart("checkpoint", []byte("half"))); err != nil {
		return Result{}, err
	}
	for ctx.Err() == nil {
		if answer, err := os.ReadFile(file + ".answer"); err == nil {
			return jsonResult(string(answer))
		}
		time.Sleep(5 * time.Millisecond)
	}
	return Result{}, ctx.Err()
}

func pool(t *testing.T, slots int, timeout time.Duration, args ...string) *Pool {
	t.Helper()
	p := NewPool(Options{
		Slots: slots, Timeout: timeout, Launch: Local(func(int) []string { return append([]string{"worker"}, args...) }, nil),
		Check: func(h Hello) error {
			if h.Version != "test" {
				return fault.Usagef("a worker is moncae %s", h.Version)
			}
			return nil
		},
	})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func do(t *testing.T, p *Pool, kind string, spec any) string {
	t.Helper()
	r, err := p.Do(context.Background(), Order{Kind: kind, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Data)
}

func TestTasksComeBack(t *testing.T) {
	p := pool(t, 2, 0)
	big := bytes.Repeat([]byte("moncae"), 100_000)
	for _, content := range [][]byte{nil, {0}, []byte("a\nb\x00"), big} {
		r, err := p.Do(context.Background(), Order{Kind: "echo", Spec: "<héllo>", Parts: func() ([]Part, error) {
			return []Part{NewPart("one", content), NewPart("two", []byte("2"))}, nil
		}})
		if err != nil || !bytes.Equal(Find(r.Parts, "one"), content) || string(Find(r.Parts, "two")) != "2" {
			t.Errorf("%d bytes: %v, %v", len(content), r.Parts, err)
		}
		var s string
		if err := json.Unmarshal(r.Data, &s); err != nil || s != "<héllo>" {
			t.Errorf("%s, %v", r.Data, err)
		}
	}
	// Workers are kept, and work at the same time.
	pids := map[string]bool{}
	for range 20 {
		pids[do(t, p, "pid", 0)] = true
	}
	if len(pids) != 1 {
		t.Errorf("%d processes for one task at a time", len(pids))
	}
	var wait sync.WaitGroup
	begin := time.Now()
	for range 2 {
		wait.Go(func() { do(t, p, "plant", map[string]string{"do": "slow"}) })
	}
	if wait.Wait(); time.Since(begin) > 550*time.Millisecond && runtime.NumCPU() > 1 {
		t.Logf("two tasks of 0.3 s took %v", time.Since(begin))
	}
}

func TestWhatIsGivenIsGivenOnce(t *testing.T) {
	p := pool(t, 1, 0)
	p.Give(Given{Key: "k", Kind: "bytes", Parts: []Part{NewPart("all", []byte("12345"))}})
	for range 2 {
		r, err := p.Do(context.Background(), Order{Kind: "held", Spec: "k", Needs: []string{"k"}})
		if err != nil || string(r.Data) != "5" {
			t.Errorf("%s, %v", r.Data, err)
		}
	}
	p.Forget("k")
	if r, err := p.Do(context.Background(), Order{Kind: "held", Spec: "k", Needs: []string{"k"}}); err != nil || string(r.Data) != "5" {
		t.Errorf("the worker forgot it: %s, %v", r.Data, err)
	}
}

// Each end of a process costs its task one retry, which goes on from the last
// checkpoint, and then the task.
func TestEndsCostOneTask(t *testing.T) {
	for what, want := range map[string]string{
		"fail": "the device fell off", "panic": "exit code 2: panic: a bug", "hang": "it said nothing for 2s and was ended", "garbage": "no message of the worker protocol",
		"SIGKILL": "killed by SIGKILL", "SIGSEGV": "SIGSEGV", "SIGABRT": "SIGABRT", "checkpoint": "exit code 3",
	} {
		t.Run(what, func(t *testing.T) {
			if strings.HasPrefix(what, "SIG") && runtime.GOOS == "windows" {
				t.Skip("there are no signals")
			}
			silence := time.Duration(0)
			if what == "hang" {
				silence = 2 * time.Second
			}
			p := pool(t, 2, silence)
			once := t.TempDir() + "/once"
			if err := os.WriteFile(once, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			from := "0"
			r, err := p.Do(context.Background(), Order{
				Kind: "plant", Spec: map[string]string{"do": what, "once": once},
				Parts: func() ([]Part, error) { return []Part{NewPart("from", []byte(from))}, nil },
				Event: func(_ json.RawMessage, parts []Part) error { from = string(Find(parts, "checkpoint")); return nil },
			})
			expect := `"well: 0"`
			if what == "checkpoint" {
				expect = `"well: half"`
			}
			if err != nil || string(r.Data) != expect {
				t.Errorf("once: %s, %v", r.Data, err)
			}
			_, err = p.Do(context.Background(), Order{Kind: "plant", Spec: map[string]string{"do": what}})
			lost := (*Lost)(nil)
			if !errors.As(err, &lost) || len(lost.Ends) != 2 || !strings.Contains(lost.Ends[0], want) || !strings.Contains(lost.Ends[1], want) {
				t.Errorf("twice: %v, wanted %q", err, want)
			}
			do(t, p, "pid", 0)
		})
	}
}

// What is refused as bad input is the caller's error at once.
func TestRefusedTasks(t *testing.T) {
	p := pool(t, 2, 0)
	_, err := p.Do(context.Background(), Order{Kind: "plant", Spec: map[string]string{"do": "refuse"}})
	if fault.Of(err) != fault.Usage || err.Error() != "the data are not here" {
		t.Errorf("%v", err)
	}
	do(t, p, "pid", 0)
}

// A worker that dies with nothing to do is nobody's fault.
func TestIdleDeathsCostNothing(t *testing.T) {
	p := pool(t, 1, 0)
	for range 5 {
		pid, err := strconv.Atoi(do(t, p, "pid", 0))
		if err != nil {
			t.Fatal(err)
		}
		self, err := os.FindProcess(pid)
		if err != nil || self.Kill() != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestCancellation(t *testing.T) {
	p := pool(t, 1, 0)
	ctx, cancel := context.WithCancel(context.Background())
	var kept []string
	_, err := p.Do(ctx, Order{Kind: "plant", Spec: map[string]string{"do": "wait"}, Event: func(_ json.RawMessage, parts []Part) error {
		kept = append(kept, string(Find(parts, "checkpoint")))
		cancel()
		return nil
	}})
	if !errors.Is(err, context.Canceled) || !slices.Equal(kept, []string{"", "kept"}) {
		t.Errorf("%v, kept %q", err, kept)
	}
	if _, err := p.Do(ctx, Order{Kind: "pid", Spec: 0}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the cancellation: %v", err)
	}
	full := errors.New("no space left on device")
	_, err = p.Do(context.Background(), Order{Kind: "plant", Spec: map[string]string{"do": "slow"}, Event: func(json.RawMessage, []Part) error { return full }})
	if lost := (*Lost)(nil); !errors.Is(err, full) || errors.As(err, &lost) {
		t.Errorf("an event that can't be kept: %v", err)
	}
}

func TestWorkersThatCantBegin(t *testing.T) {
	for mode, want := range map[string]struct {
		kind fault.Kind
		text string
	}{
		"mute": {fault.Missing, "exit code 4: the device is away"}, "chatty": {fault.Usage, `"hello, I am a library"`}, "later": {fault.Usage, "version 2 of the protocol"},
	} {
		p := pool(t, 1, 0, mode)
		if _, err := p.Hello(context.Background()); fault.Of(err) != want.kind || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: %v", mode, err)
		}
	}
	p := pool(t, 1, 0, "forgetful")
	p.Give(Given{Key: "k", Kind: "bytes", Parts: []Part{NewPart("all", []byte("12345"))}})
	if _, err := p.Do(context.Background(), Order{Kind: "held", Spec: "k", Needs: []string{"k"}}); err == nil || !strings.Contains(err.Error(), "can't begin: exit code 9") {
		t.Errorf("%v", err)
	}
	p = NewPool(Options{Slots: 1, Launch: Local(func(int) []string { return []string{"worker"} }, nil), Check: func(h Hello) error {
		return fault.Usagef("a worker is moncae %s", h.Version)
	}})
	defer p.Close()
	if _, err := p.Hello(context.Background()); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "moncae test") {
		t.Errorf("%v", err)
	}
}
