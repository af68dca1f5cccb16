//go:build unix

package chaos_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// envPlant has a worker end in each of its tasks, once a task: SEED:FOLDER, where the
// folder has the tasks that were disturbed.
const envPlant = "MONCAE_CHAOS_PLANT"

// ends are the ways in which a worker ends, or doesn't.
var ends = []string{"kill", "segv", "abort", "stop", "exit", "garbage"}

// planter stands between a worker and its pipes.
type planter struct {
	in     io.Reader
	out    io.Writer
	seed   uint64
	folder string

	mu   sync.Mutex // held while something happens, and while a result is told
	task string     // under way
}

var (
	taskKey = regexp.MustCompile(`^\{"task":\{"id":\d+,"kind":"\w+","key":"(\w+)"`)
	outcome = regexp.MustCompile(`^\{"(result|failed)":`)
)

// Read has an end happen some time after a task has come.
func (p *planter) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	for line := range bytes.Lines(b[:n]) {
		if m := taskKey.FindSubmatch(line); m != nil {
			p.plant(string(m[1]))
		}
	}
	return n, err
}

func (p *planter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if outcome.Match(b) {
		p.task = ""
	}
	return p.out.Write(b)
}

func (p *planter) plant(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.task = key
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it never fails
	r := rand.New(rand.NewPCG(p.seed, h.Sum64()))
	how, wait := ends[r.IntN(len(ends))], time.Duration(r.ExpFloat64()*float64(30*time.Millisecond))
	if r.IntN(4) == 0 {
		wait = 0
	}
	time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.task == key {
			p.end(key, how)
		}
	})
}

// end happens once a task.
func (p *planter) end(key, how string) {
	mark, err := os.OpenFile(filepath.Join(p.folder, key+"-"+how), os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	_ = mark.Close() // it is empty
	signals := map[string]syscall.Signal{"kill": syscall.SIGKILL, "segv": syscall.SIGSEGV, "abort": syscall.SIGABRT, "stop": syscall.SIGSTOP}
	switch s, ok := signals[how]; {
	case ok:
		_ = syscall.Kill(os.Getpid(), s)
		time.Sleep(time.Minute)
	case how == "exit":
		os.Exit(1)
	default:
		fmt.Fprintln(p.out, "a native library says hello")
		p.task = ""
	}
}
