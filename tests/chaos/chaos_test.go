//go:build unix

// Package chaos_test does to every command that writes what a machine may do to
// it, and holds what is left against what docs/reliability.md promises.
//
//	TestKill    the process is killed at a step of writing, or at any moment
//	TestFault   one step fails: the first, the middle and the last of each kind
//	TestPower   the power fails: what was written since the last sync is lost or torn
//	TestTwice   two processes write one output at once
//	TestWorkers each task's worker ends in some way, and coordinators are killed
//	TestDamage  a bit of a file of ours is flipped, or its end is cut off
//
// After each, what was there before is there, or what was to be made, whole; the
// same command again ends as if nothing had happened, and leaves no temporary file.
//
// Cases are drawn from -seed until -for is over. A failure names the case; -case
// NAME repeats that alone. `make chaos` is the long form.
package chaos_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"moncae/internal/cli"
	"moncae/internal/durable"
	"moncae/internal/ort"
)

var (
	duration = flag.Duration("for", 100*time.Second, "time of all tests together")
	seed     = flag.Uint64("seed", 1, "of what is drawn")
	only     = flag.String("case", "", "repeat this case alone")
)

// The environment of a process that is to be disturbed.
const (
	envChild = "MONCAE_CHAOS"       // set: be moncae
	envKill  = "MONCAE_CHAOS_KILL"  // the step at which to be killed, from 1
	envFault = "MONCAE_CHAOS_FAULT" // KIND:N, the N-th step of the kind fails
	envTrace = "MONCAE_CHAOS_TRACE" // file for the steps that were done
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) == "" {
		os.Exit(run(m))
	}
	os.Exit(child())
}

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "moncae-chaos-")
	if err != nil {
		panic(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			panic(err)
		}
	}()
	fixtures.dir = dir
	address, stop := serveRemote()
	defer stop()
	fixtures.remote = address
	if library, _, err := ort.Load(""); err == nil { // not without cgo
		fixtures.library = library
	}
	return m.Run()
}

// child is moncae on a file system that does as the environment says.
func child() int {
	d := disturbance{}
	d.kill, _ = strconv.Atoi(os.Getenv(envKill)) // absent: never
	d.kind, d.nth, _ = strings.Cut(os.Getenv(envFault), ":")
	s := cli.System()
	s.FS = durable.FS{Fault: d.fault}
	if seed, folder, ok := strings.Cut(os.Getenv(envPlant), ":"); ok && os.Args[1] == "worker" {
		p := &planter{in: s.In, out: s.Out, folder: folder}
		p.seed, _ = strconv.ParseUint(seed, 10, 64) // of our own making
		s.In, s.Out = p, p
	}
	trace := os.Getenv(envTrace)
	if trace != "" {
		s.FS.Trace = d.done
	}
	var code int
	if os.Args[1] == download {
		code = get(os.Args[2], os.Args[3], s.FS)
	} else {
		code = cli.Main(os.Args[1:], s)
	}
	if trace != "" {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(d.steps); err != nil {
			panic(err)
		}
		if err := os.WriteFile(trace, b.Bytes(), 0o600); err != nil {
			panic(err)
		}
	}
	return code
}

// disturbance is what happens to one process.
type disturbance struct {
	kill      int
	kind, nth string

	mu    sync.Mutex
	all   int
	kinds map[string]int
	steps []step
}

// step is a step that was asked for (Asked), or one that was done.
type step struct {
	durable.Step
	Asked bool
}

func (d *disturbance) fault(kind, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all++
	if d.kinds == nil {
		d.kinds = map[string]int{}
	}
	d.kinds[kind]++
	d.steps = append(d.steps, step{Step: durable.Step{Kind: kind, Path: path}, Asked: true})
	if d.all == d.kill {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {}
	}
	if kind == d.kind && strconv.Itoa(d.kinds[kind]) == d.nth {
		return &os.PathError{Op: kind, Path: path, Err: syscall.ENOSPC}
	}
	return nil
}

func (d *disturbance) done(s durable.Step) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Data = bytes.Clone(s.Data)
	d.steps = append(d.steps, step{Step: s})
}

// process is a moncae in the folder dir.
func process(dir string, args []string, env ...string) (*exec.Cmd, *bytes.Buffer) {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), append(env, envChild+"=1", ort.EnvLibrary+"="+fixtures.library)...)
	var text bytes.Buffer
	cmd.Stderr = &text
	return cmd, &text
}

// result is how a process ended.
type result struct {
	code   int // −1: killed
	stderr string
}

func moncae(dir string, args []string, env ...string) result {
	cmd, text := process(dir, args, env...)
	return ended(cmd, cmd.Run(), text)
}

func ended(cmd *exec.Cmd, err error, text *bytes.Buffer) result {
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return result{-2, err.Error()}
	}
	return result{cmd.ProcessState.ExitCode(), text.String()}
}

// reason is the line that says why the process failed; "" where there is no such
// line, or a panic's.
func (r result) reason() string {
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "moncae: ") || strings.Contains(r.stderr, "goroutine ") {
		return ""
	}
	return last
}

// share is a test's part of the time, in percent of -for.
func share(percent int) time.Time {
	return time.Now().Add(*duration * time.Duration(percent) / 100)
}

// draws are the random numbers of a case, which follow from its name alone.
func draws(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // it never fails
	return rand.New(rand.NewPCG(*seed, h.Sum64()))
}

// wanted tells whether a case is to be tried: -case names it, or none.
func wanted(name string) bool { return *only == "" || *only == name }

// failed reports a case, and how to repeat it.
func failed(t *testing.T, name, format string, args ...any) {
	t.Helper()
	t.Errorf("%s: %s\n\trepeat it: go test -tags onednn -count=1 -v ./tests/chaos -seed %d -case '%s'", name, fmt.Sprintf(format, args...), *seed, name)
}

// scratch is a new folder in the fixtures' one with what a job begins with.
func scratch(t *testing.T, j *job) string {
	t.Helper()
	dir, err := os.MkdirTemp(fixtures.dir, "case-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // most are gone before
	if err := os.CopyFS(dir, os.DirFS(j.begin)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// temporary are the names of temporary files and folders below dir.
func temporary(dir string) (names []string) {
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.Base(path), durable.TempMark) {
			names = append(names, path)
		}
		return nil // what isn't there isn't left behind
	})
	return names
}
