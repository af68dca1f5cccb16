package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/arch"
	"moncae/internal/bench"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/regular"
	"moncae/internal/view"
)

func (a *app) newBench() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure training steps, compression and worker processes, simulate clusters", Example: "  moncae bench train network.json --profile", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.newBenchTrain(), a.newBenchCompress(), a.newBenchWorkers(), a.newBenchScale())
	return cmd
}

type benchTrainOptions struct {
	batch             int
	seconds           float64
	device, precision string
	profile, json     bool
}

func (a *app) newBenchTrain() *cobra.Command {
	var o benchTrainOptions
	cmd := &cobra.Command{
		Use:   "train ARCH.json...",
		Short: "Measure whole training steps of networks, one candidate alone and several side by side",
		Long: `Measure whole training steps (gathering the batch, forward, backward, Adam) on
random images in memory, one candidate alone and one on every core side by side.

ARCH.json is a network as a run and an export keep it: candidates/ID/arch.json.

--profile adds a table of what a step is made of, in processor time; "of gemm
peak" is the rate of a convolution's multiply-adds over that of a large matrix
product on one thread. --json prints a list, for each network its name, engine,
precision, optimizer, batch, params, flops (multiply-adds of a forward pass, an
image), compile_ms, rates (candidates, images_per_second, steps), and with
--profile also profile (step, ms, share, of_peak) and gemm_gflops.`,
		Example: `  moncae bench train internal/arch/testdata/small.json --profile
  moncae bench train run/candidates/g0-3/arch.json --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.benchTrain(args, o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.batch, "batch", 256, "images a step")
	f.Float64Var(&o.seconds, "seconds", 3, "length of each measurement")
	f.StringVar(&o.precision, "precision", "f32", "f32, bf16 or tf32")
	f.BoolVar(&o.profile, "profile", false, "time by op, with the ratio to a large matrix product")
	addDevice(f, &o.device)
	addJSON(cmd, &o.json)
	return cmd
}

func (o benchTrainOptions) validate() error {
	switch {
	case o.batch < 1:
		return fault.Usagef("--batch %d: a step takes 1 image at least", o.batch)
	case !(o.seconds > 0 && o.seconds <= 3600):
		return fault.Usagef("--seconds %v: it is a number above 0, up to 3600", o.seconds)
	}
	return nil
}

// benchmark is what is measured of a network.
type benchmark struct {
	Network string `json:"network"`
	bench.Result
}

func (a *app) benchTrain(paths []string, o benchTrainOptions) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	archs := make([]arch.Arch, len(paths))
	for i, path := range paths {
		if archs[i], err = readArch(path); err != nil {
			return err
		}
	}
	eng, err := a.openEngine(o.device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	results := make([]benchmark, len(paths))
	for i, path := range paths {
		r, err := bench.Train(eng, bench.Options{
			Arch: archs[i], Batch: o.batch, Precision: engine.Precision(o.precision), Profile: o.profile,
			Duration: time.Duration(o.seconds * float64(time.Second)),
		})
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		results[i] = benchmark{path, r}
		if !o.json {
			if err := a.printBenchmark(results[i]); err != nil {
				return err
			}
		}
	}
	if o.json {
		return a.printJSON(results)
	}
	return nil
}

func (a *app) printBenchmark(r benchmark) error {
	fmt.Fprintf(a.Out, "%s: %d parameters, %.2f M multiply-adds an image, batch %d, %s %s on %s, compiled in %.1f ms\n",
		r.Network, r.Params, float64(r.FLOPs)/1e6, r.Batch, r.Engine.Name, r.Precision, r.Engine.Device, r.CompileMS)
	for _, rate := range r.Rates {
		fmt.Fprintf(a.Out, "  %d side by side: %.0f images/s\n", rate.Candidates, rate.ImagesPerSecond)
	}
	if len(r.Profile) == 0 {
		return nil
	}
	t := table{head: []string{"step", "ms", "share", "of gemm peak"}, left: 1}
	for _, p := range r.Profile {
		peak := ""
		if p.OfPeak > 0 {
			peak = fmt.Sprintf("%.0f %%", 100*p.OfPeak)
		}
		t.add(p.Step, view.Fixed(p.MS, 3), fmt.Sprintf("%.1f %%", 100*p.Share), peak)
	}
	t.add("gemm peak of a thread", "", "", fmt.Sprintf("%.0f GFLOP/s", r.GemmGFLOPS))
	return t.print(a.Out)
}

// readArch reads a network from an arch.json, bare or as a run and an export keep it.
func readArch(path string) (arch.Arch, error) {
	text, err := regular.ReadFile(path)
	if err != nil {
		return arch.Arch{}, fault.Usagef("%w", err)
	}
	var kept struct {
		arch.Arch
		Inner *arch.Arch `json:"arch"`
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return arch.Arch{}, fault.Usagef("%s is no network's arch.json: %w", path, err)
	}
	a := kept.Arch
	if kept.Inner != nil {
		a = *kept.Inner
	}
	if err := a.Validate(); err != nil {
		return arch.Arch{}, fault.Usagef("%s is no network's arch.json: %w", path, err)
	}
	return a, nil
}
