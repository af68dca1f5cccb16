package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/arch"
	"moncae/internal/bench"
	"moncae/internal/engine"
	"moncae/internal/fault"
)

func (a *app) newBench() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure training steps and compression", Example: "  moncae bench train network.json --profile", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.newBenchTrain())
	return cmd
}

func (a *app) newBenchTrain() *cobra.Command {
	var o bench.Options
	var device, precision string
	var seconds float64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "train ARCH.json...",
		Short: "Measure whole training steps of networks, one candidate alone and several side by side",
		Example: `  moncae bench train internal/arch/testdata/small.json --profile
  moncae bench train internal/arch/testdata/*.json --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if !(seconds > 0) || o.Batch < 1 {
				return fault.Usagef("--seconds and --batch must be more than 0")
			}
			o.Duration, o.Precision = time.Duration(seconds*float64(time.Second)), engine.Precision(precision)
			eng, err := a.openEngine(device)
			if err != nil {
				return err
			}
			defer func() { err = firstError(err, eng.Close()) }()
			type named struct {
				Network string `json:"network"`
				bench.Result
			}
			var results []named
			for _, path := range args {
				if o.Arch, err = readArch(path); err != nil {
					return err
				}
				r, err := bench.Train(eng, o)
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				results = append(results, named{path, r})
				if !asJSON {
					if err := a.printBench(path, r); err != nil {
						return err
					}
				}
			}
			if asJSON {
				return a.printJSON(results)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Batch, "batch", 256, "images a step")
	f.Float64Var(&seconds, "seconds", 3, "length of each measurement")
	f.StringVar(&precision, "precision", "f32", "f32, bf16 or tf32")
	f.BoolVar(&o.Profile, "profile", false, "time by op, with the ratio to a large matrix product")
	addDevice(f, &device)
	addJSON(cmd, &asJSON)
	return cmd
}

// readArch reads a network from an arch.json, bare or as a run and an export keep it.
func readArch(path string) (arch.Arch, error) {
	var kept struct {
		arch.Arch
		Inner *arch.Arch `json:"arch"`
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return kept.Arch, fault.Usagef("%w", err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return kept.Arch, fault.Usagef("%s: %w", path, err)
	}
	a := kept.Arch
	if kept.Inner != nil {
		a = *kept.Inner
	}
	if err := a.Validate(); err != nil {
		return a, fault.Usagef("%s: %w", path, err)
	}
	return a, nil
}

func (a *app) printBench(path string, r bench.Result) error {
	fmt.Fprintf(a.Out, "%s: %d parameters, %.2f M multiply-adds an image, batch %d, %s %s on %s, compiled in %.1f ms\n", path, r.Params, float64(r.FLOPs)/1e6, r.Batch, r.Engine.Name, r.Precision, r.Engine.Device, r.CompileMS)
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
		t.add(p.Step, fixed(p.MS, 3), fmt.Sprintf("%.1f %%", 100*p.Share), peak)
	}
	t.add("gemm peak of a thread", "", "", fmt.Sprintf("%.0f GFLOP/s", r.GemmGFLOPS))
	return t.print(a.Out)
}
