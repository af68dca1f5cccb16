package cli

import (
	"errors"
	"fmt"
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

// addDevice adds the flag that chooses where networks run.
func addDevice(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "device", "auto", "`device` that networks run on: auto, cpu, cuda[:N] or ref (training in pure Go, slow)")
}

// addCheckpoint adds the flag that says how often a training is kept.
func addCheckpoint(f *pflag.FlagSet, to *time.Duration) {
	f.DurationVar(to, "checkpoint-every", time.Minute, "training `time` after which a training under way is kept, to go on from after a kill; at most 1 % of the time; 0: never")
}

// addRuntimeDevice adds the flag for commands that train nothing: ONNX Runtime
// runs their models.
func addRuntimeDevice(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "device", "auto", "`device` that networks run on: auto, cpu or cuda[:N]")
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
			fmt.Fprintf(a.Err, "moncae: training on the CPU: %s\n", oneLine(err))
		}
	case device != "cpu":
		return nil, fault.Usagef("--device %s is unknown: it is auto, cpu, cuda, cuda:N or ref", device)
	}
	eng, err := onednn.New()
	if fault.Of(err) == fault.Missing && err != nil {
		fmt.Fprintf(a.Err, "moncae: training in pure Go, which is slow: %s\n", oneLine(err))
		return ref.New(), nil
	}
	return eng, err
}

// openCUDA opens all GPUs for "cuda", the one of that number for "cuda:N".
func openCUDA(device string) (engine.Engine, error) {
	number, one := strings.CutPrefix(device, "cuda:")
	if !one {
		return cuda.Open()
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return nil, fault.Usagef("--device %s: %q is not a device's number; give for example cuda:0", device, number)
	}
	return cuda.Open(n)
}
