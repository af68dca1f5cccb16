package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/engine/onednn"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
)

// deviceFlag is a device by its name.
type deviceFlag struct {
	to    *string
	words []string // beside cuda:N
}

func (d deviceFlag) String() string {
	if d.to == nil {
		return ""
	}
	return *d.to
}

func (d deviceFlag) Set(s string) error {
	number, numbered := strings.CutPrefix(s, "cuda:")
	if n, err := strconv.Atoi(number); numbered && err == nil && n >= 0 || slices.Contains(d.words, s) {
		*d.to = s
		return nil
	}
	return fmt.Errorf("%q is unknown: it is one of %s, or cuda:N", s, strings.Join(d.words, ", "))
}

func (deviceFlag) Type() string { return "string" }

// addDevice adds the flag that chooses where networks run.
func addDevice(f *pflag.FlagSet, to *string) {
	*to = "auto"
	f.Var(deviceFlag{to, []string{"auto", "cpu", "cuda", "ref"}}, "device", "`device` that networks run on: auto, cpu, cuda[:N] or ref (training in pure Go, slow)")
}

// addCheckpoint adds the flag that says how often a training is kept.
func addCheckpoint(f *pflag.FlagSet, to *time.Duration) {
	f.DurationVar(to, "checkpoint-every", time.Minute, "training `time` after which a training under way is kept, to go on from after a kill; at most 1 % of the time; 0: never")
}

// addRuntimeDevice adds the flag for commands that train nothing: ONNX Runtime
// runs their models.
func addRuntimeDevice(f *pflag.FlagSet, to *string) {
	*to = "auto"
	f.Var(deviceFlag{to, []string{"auto", "cpu", "cuda"}}, "device", "`device` that networks run on: auto, cpu or cuda[:N]")
}

// runtimeDevice is the device of ONNX Runtime beside an engine on device: what
// the reference trains runs on the CPU.
func runtimeDevice(device string) string {
	if device == "ref" {
		return "cpu"
	}
	return device
}

// deviceOf is the word that --device has for an engine.
var deviceOf = map[string]string{"onednn": "cpu", "cuda": "cuda", "ref": "ref"}

// openEngine opens the engine that trains on a device. auto takes a GPU where
// one works, else the CPU; the CPU means oneDNN, and the pure-Go reference where
// this build has no oneDNN, which it says.
func (a *app) openEngine(device string) (engine.Engine, error) {
	switch {
	case device == "ref":
		return ref.New(), nil
	case device == "cuda" || strings.HasPrefix(device, "cuda:"):
		return openCUDA(device)
	case device == "auto":
		eng, err := openCUDA("cuda")
		if err == nil {
			return eng, nil
		}
		if !errors.Is(err, cuda.ErrAbsent) {
			fmt.Fprintf(a.Err, "moncae: training on the CPU: %s\n", fault.Text(err))
		}
	}
	eng, err := onednn.New()
	if fault.Of(err) == fault.Missing && err != nil {
		fmt.Fprintf(a.Err, "moncae: training in pure Go, which is slow: %s\n", fault.Text(err))
		return ref.New(), nil
	}
	return eng, err
}

// openCUDA opens all GPUs for "cuda", the one of that number for "cuda:N".
func openCUDA(device string) (engine.Engine, error) {
	number, one := strings.CutPrefix(device, "cuda:")
	if n, err := strconv.Atoi(number); one && err == nil {
		return cuda.Open(n)
	}
	return cuda.Open()
}
