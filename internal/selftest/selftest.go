// Package selftest tries an engine on the machine that it is on, and writes down
// what it found for somebody who has no such machine: `moncae selftest`.
//
// Each part runs in a process of its own with a time limit, so that a crash, a
// hang or a device that is lost is a line of the report and no end of it. A part
// writes an Entry a line; the parent puts them together. Engines are held against
// package ref on the same networks and numbers.
//
// With Options.Quick the speeds are left out, and all takes less than a minute;
// in full it is made for some four minutes on a large GPU, where nobody has timed it.
package selftest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/version"
)

// Format is the version of the report.
const Format = 1

// Report is what is attached to an issue. It holds no paths and no names of users.
type Report struct {
	Format       int           `json:"moncae.selftest"`
	Version      string        `json:"version"`
	OS           string        `json:"os"`
	Arch         string        `json:"arch"`
	CPUs         int           `json:"cpus"`
	Device       string        `json:"device"` // as --device had it
	Quick        bool          `json:"quick"`
	Environment  *Environment  `json:"environment"`
	Checks       []Check       `json:"checks"`
	Convolutions []Convolution `json:"convolutions"`
	// Alternatives are convolutions by the engine's own kernels and by its library.
	Alternatives []engine.Comparison `json:"alternatives,omitempty"`
	Rooflines    []Roofline          `json:"rooflines,omitempty"`
	Speeds       []Speed             `json:"speeds,omitempty"`
}

// Status is how a check ended.
type Status string

// The statuses. Skip is for what this machine or this engine doesn't have.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Check is one thing that was tried. Reason is there where it didn't pass, and
// may say more where it did.
type Check struct {
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Reason  string  `json:"reason,omitempty"`
	Seconds float64 `json:"seconds"`
}

func (c Check) String() string {
	line := fmt.Sprintf("%s %s", strings.ToUpper(string(c.Status)), c.Name)
	if c.Reason != "" {
		line += ": " + c.Reason
	}
	return line
}

// Entry is a line of a part's output, with one field.
type Entry struct {
	Missing     string             `json:"missing,omitempty"` // the device isn't here
	Environment *Environment       `json:"environment,omitempty"`
	Check       *Check             `json:"check,omitempty"`
	Convolution *Convolution       `json:"convolution,omitempty"`
	Speed       *Speed             `json:"speed,omitempty"`
	Roofline    *Roofline          `json:"roofline,omitempty"`
	Alternative *engine.Comparison `json:"alternative,omitempty"`
}

// Options say what to try, and how to start a part: a process that calls Part
// with this name and writes to its standard output.
type Options struct {
	Device  string
	Quick   bool
	Start   func(ctx context.Context, part string) *exec.Cmd
	Observe func(Check) // each as it ends; nil: nobody looks
}

// limit of a part, beyond which it counts as hanging.
var limit = 3 * time.Minute

// grace is what a part that is interrupted gets to end by itself.
const grace = 10 * time.Second

// Run tries everything. It fails, with the kind Missing, where the device isn't
// here; checks that fail are in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	r := Report{
		Format: Format, Version: version.Number(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(),
		Device: o.Device, Quick: o.Quick,
	}
	if o.Observe == nil {
		o.Observe = func(Check) {}
	}
	for _, p := range parts {
		if p.slow && o.Quick {
			continue
		}
		if err := r.run(ctx, o, p.name); err != nil {
			return r, err
		}
	}
	return r, ctx.Err()
}

// Failed tells whether some check did.
func (r Report) Failed() bool {
	for _, c := range r.Checks {
		if c.Status == Fail {
			return true
		}
	}
	return false
}

// run starts a part and takes in its entries. Ends that it didn't choose are a
// check that failed.
func (r *Report) run(ctx context.Context, o Options, part string) error {
	begin := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := o.Start(limited, part)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its own processes
	cmd.WaitDelay = grace
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // a library that writes to the output
		}
		if e.Missing != "" {
			_ = cmd.Wait() // it has said why it ends
			return fault.Missingf("%s", e.Missing)
		}
		r.add(e, o.Observe)
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case cmd.ProcessState.ExitCode() == int(fault.Usage): // every part would say the same
		return fault.Usagef("%s", strings.TrimPrefix(strings.Join(strings.Fields(stderr.String()), " "), "moncae: "))
	case limited.Err() != nil:
		err = fmt.Errorf("still not done after %v", limit)
	case err == nil:
		return nil
	}
	r.add(Entry{Check: &Check{Name: part, Status: Fail, Reason: ending(err, stderr.String()), Seconds: time.Since(begin).Seconds()}}, o.Observe)
	return nil
}

// ending is how a process ended, with the beginning of what it said.
func ending(err error, said string) string {
	const most = 300
	words := strings.Join(strings.Fields(said), " ")
	if len(words) > most {
		words = words[:most] + "…"
	}
	if words == "" {
		return "the process ended: " + err.Error()
	}
	return "the process ended: " + err.Error() + ": " + words
}

func (r *Report) add(e Entry, observe func(Check)) {
	if e.Check != nil {
		e.Check.Seconds = math.Round(1000*e.Check.Seconds) / 1000
	}
	switch {
	case e.Environment != nil:
		r.Environment = e.Environment
	case e.Check != nil:
		r.Checks = append(r.Checks, *e.Check)
		observe(*e.Check)
	case e.Convolution != nil:
		r.Convolutions = append(r.Convolutions, *e.Convolution)
	case e.Alternative != nil:
		r.Alternatives = append(r.Alternatives, *e.Alternative)
	case e.Roofline != nil:
		r.Rooflines = append(r.Rooflines, *e.Roofline)
	case e.Speed != nil:
		r.Speeds = append(r.Speeds, *e.Speed)
	}
}
