package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/internal/selftest"
)

type selftestOptions struct {
	device, library, out, part string
	quick, json                bool
}

func (a *app) newSelftest() *cobra.Command {
	var o selftestOptions
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Try a device against the reference, and write a report that can be attached to an issue",
		Long: `Try the engine of a device on this machine: every layer, 48 convolutions in every
precision, gradients and optimisers against the reference; the same bits alone and
beside others; a device without memory and one that faults; models in ONNX Runtime; a
search twice, and by two processes; and, unless --quick, the speed of three networks,
1 to 16 side by side, on a GPU with its share of what the device is measured to do at
best, and other ways to compute convolutions beside the chosen one.

Each part runs in a process of its own. A line says PASS, FAIL or SKIP, and why; --out
keeps all figures as JSON, without names of folders. Exit code 1 where something
fails, 4 where the device isn't here.`,
		Example: `  moncae selftest --device cpu --quick
  moncae selftest --device cuda --out selftest.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.part != "" {
				return a.selftestPart(cmd.Context(), &o)
			}
			return a.selftest(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	addDevice(f, &o.device)
	f.BoolVar(&o.quick, "quick", false, "leave the speeds out; under a minute")
	f.StringVarP(&o.out, "out", "o", "", "`file` to write the report to, as JSON")
	f.StringVar(&o.part, "part", "", "run one part in this process")
	_ = f.MarkHidden("part") // fails for unknown flags alone
	addLibrary(f, &o.library)
	a.addOverwrite(f)
	addJSON(cmd, &o.json)
	return cmd
}

func (a *app) selftest(ctx context.Context, o *selftestOptions) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if o.out != "" {
		if info, err := os.Stat(filepath.Dir(o.out)); err != nil || !info.IsDir() {
			return fault.Usagef("--out %s: there is no folder %s", o.out, filepath.Dir(o.out))
		}
	}
	if err := a.vacant(o.out); err != nil {
		return err
	}
	begin := time.Now()
	options := selftest.Options{Device: o.device, Quick: o.quick, Start: func(ctx context.Context, part string) *exec.Cmd {
		args := []string{"selftest", "--part", part, "--device", o.device}
		if o.library != "" {
			args = append(args, "--onnxruntime", o.library)
		}
		return exec.CommandContext(ctx, program, args...)
	}}
	if !o.json {
		options.Observe = func(c selftest.Check) { fmt.Fprintln(a.Out, c) }
	}
	r, err := selftest.Run(ctx, options)
	if err != nil {
		return err
	}
	if o.out != "" {
		b, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			return err
		}
		if err := a.output(o.out, append(b, '\n')); err != nil {
			return fmt.Errorf("--out %s: %w", o.out, err)
		}
	}
	if o.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	}
	failed, count := 0, len(r.Checks)
	for _, c := range r.Checks {
		if c.Status == selftest.Fail {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, count)
	}
	fmt.Fprintf(a.Err, "%d checks, none failed, %.0f s\n", count, time.Since(begin).Seconds())
	return nil
}

// selftestPart is the process of one part.
func (a *app) selftestPart(ctx context.Context, o *selftestOptions) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "moncae-selftest-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	return selftest.Part(ctx, o.part, selftest.Setting{
		Device: o.device, Temp: temp, Out: a.Out,
		Models: ort.Options{Library: o.library, Device: runtimeDevice(o.device)},
		Open: func() (engine.Engine, error) {
			eng, err := a.openEngine(o.device)
			if err == nil && o.device == "cpu" && eng.Info().Name != "onednn" {
				return nil, fault.Missingf("this moncae was built without oneDNN, its engine on the CPU; --device ref tries the reference")
			}
			return eng, err
		},
		Moncae: func(ctx context.Context, args ...string) *exec.Cmd { return exec.CommandContext(ctx, program, args...) },
	})
}
