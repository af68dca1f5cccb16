package cli

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/engine/onednn"
	"moncae/internal/ort"
)

// The command line is tested as it is used: the scripts of testdata/script run
// moncae as a process of its own, in an empty folder. `go test -run
// TestScripts/NAME` runs one of them.
//
// Beside testscript's own, they have the conditions [onednn], [bf16], [cuda], [onnxruntime],
// [long] (make nightly runs what takes half a minute by the clock) and [data] ($MONCAE_DATA points at MNIST and CIFAR-10), and the command
// `exits N moncae …`, which wants that exit code and a reason of one line.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" { // which a test's own Main started
		os.Exit(Main(os.Args[1:], System()))
	}
	testscript.Main(m, map[string]func(){
		"moncae": func() { os.Exit(Main(os.Args[1:], System())) },
	})
}

var long = flag.Bool("long", false, "run what takes half a minute by the clock too")

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			if data := os.Getenv("MONCAE_DATA"); data != "" {
				e.Setenv("MONCAE_DATA", data)
			}
			if path := os.Getenv("LD_LIBRARY_PATH"); path != "" {
				e.Setenv("LD_LIBRARY_PATH", path) // of the emulated GPU
			}
			library, err := ort.Find("", "cpu")
			if err == nil {
				e.Setenv(ort.EnvLibrary, library.Path)
			}
			return nil
		},
		Condition: condition,
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

func condition(name string) (bool, error) {
	switch name {
	case "onednn":
		eng, err := onednn.New()
		if err != nil {
			return false, nil
		}
		return true, eng.Close()
	case "bf16": // on the CPU
		eng, err := onednn.New()
		if err != nil {
			return false, nil
		}
		return slices.Contains(eng.Info().Precisions, engine.BFloat16), eng.Close()
	case "cuda":
		devices, err := cuda.Devices()
		if os.Getenv("MONCAE_TEST_FAKE_CUDA") == "" {
			err = nil // no device is no fault but where make test-cuda brings one
		}
		return len(devices) > 0, err
	case "onnxruntime":
		_, err := ort.Find("", "cpu")
		return err == nil && withCgo, nil
	case "long":
		return *long, nil
	case "data":
		return os.Getenv("MONCAE_DATA") != "", nil
	}
	return false, fmt.Errorf("unknown condition %s", name)
}

// exits runs a command and wants that exit code, and a reason of one line on
// stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	lines := 0
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if !strings.Contains(line, "training in pure Go") { // a build without cgo says so first
			lines++
		}
	}
	if want != 0 && lines != 1 {
		ts.Fatalf("%d lines on stderr, want one that says what is wrong", lines)
	}
}
