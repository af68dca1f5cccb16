package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Process is a worker that was started.
type Process struct {
	In   io.WriteCloser // its standard input, whose end ends it
	Out  io.Reader
	Kill func()
	// Begun is called when the process has said what it is; nil: nobody wants to know.
	Begun func()
	Wait  func() End // waits for its end
}

// End is how a process ended.
type End struct {
	How  string // for people
	Code int    // −1: by a signal
}

// Launch starts the worker of a slot, which are numbered from 0.
type Launch func(slot int) (*Process, error)

// Local starts workers on this machine: this program with the arguments that args
// gives for a slot. warned, where it isn't nil, hears the lines of moncae that a worker
// which begins well has said on standard error until then.
func Local(args func(slot int) []string, warned func(line string)) Launch {
	return func(slot int) (*Process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(self, args(slot)...)
		cmd.Args[0] = os.Args[0]
		cmd.SysProcAttr = apart()
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		said, err := cmd.StderrPipe()
		if err != nil {
			return nil, err
		}
		if err := start(cmd); err != nil {
			return nil, err
		}
		words := listen(said)
		p := &Process{In: in, Out: out, Kill: func() { _ = cmd.Process.Kill() }} // it may have ended
		p.Begun = func() {
			for _, line := range words.warnings() {
				if warned != nil {
					warned(line)
				}
			}
		}
		p.Wait = sync.OnceValue(func() End {
			last := words.last()
			err := cmd.Wait()
			return End{ending(err, last), cmd.ProcessState.ExitCode()}
		})
		return p, nil
	}
}

// lingering is how long the words of a process are waited for that has ended: its
// own children may have them open still.
const lingering = time.Second

// words are what a process says to people.
type words struct {
	done chan struct{} // closed when it says no more

	mu     sync.Mutex
	warned []string // lines of moncae, a few
	crash  string   // the first line of one
	final  string
}

const maxWarnings = 10

func listen(from io.Reader) *words {
	w := &words{done: make(chan struct{})}
	go func() {
		defer close(w.done)
		lines := bufio.NewReader(from)
		for {
			line, err := lines.ReadString('\n')
			if line = strings.TrimSpace(line); line != "" {
				w.hear(line)
			}
			if err != nil {
				return
			}
		}
	}()
	return w
}

func (w *words) hear(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.final = line
	if w.crash == "" && isCrash(line) {
		w.crash = line
	}
	if strings.HasPrefix(line, "moncae: ") && len(w.warned) < maxWarnings {
		w.warned = append(w.warned, line)
	}
}

func (w *words) warnings() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.warned
}

// last is what says most about the end: the first line of a crash, else the last line.
func (w *words) last() string {
	select {
	case <-w.done:
	case <-time.After(lingering):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.crash != "" {
		return w.crash
	}
	return w.final
}

// isCrash tells a line of Go's runtime about a signal, a fault or a panic.
func isCrash(line string) bool {
	for _, begin := range []string{"SIG", "fatal error:", "panic:", "runtime:", "unexpected fault address"} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// ending says how a process ended, with the last that it said.
func ending(err error, last string) string {
	if last = strings.TrimPrefix(last, "moncae: "); last != "" {
		last = ": " + last
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return "it ended" + last
	case errors.As(err, &exit) && signalOf(exit.ProcessState) != "":
		return "killed by " + signalOf(exit.ProcessState) + last
	case errors.As(err, &exit):
		return fmt.Sprintf("exit code %d%s", exit.ExitCode(), last)
	}
	return err.Error() + last
}
