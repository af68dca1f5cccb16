package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/shell"
	"moncae/internal/view"
)

type chooseOptions struct {
	json    bool
	limits  run.Limits
	latency float64
	psnr    float64
	ssim    float64
	library string
	by      string
}

func (a *app) newChoose() *cobra.Command {
	o := chooseOptions{by: run.ForFidelity}
	cmd := &cobra.Command{
		Use:   "choose RUN",
		Short: "Choose a member of a run's front by limits and purpose",
		Long: `Choose a member of a run's front: of those within the limits that are worth having (they
beat PCA of as many values in BCE and PSNR, or, where none does, in one of them; where no
such member is within the limits, of all) the one with the smallest loss. Its id is
printed, for other commands to take; why, on stderr.

With limits of quality alone (--min-psnr, --min-ssim, --max-bce) it is the one with the
fewest values. Figures are of validation images. With --max-latency the members are timed
by ONNX Runtime: an image through encoder and decoder, on one thread of this machine.`,
		Example: `  moncae choose digits --max-values 32
  moncae choose digits --min-psnr 18
  moncae choose digits --max-latency 0.2
  moncae choose digits --for knee --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.settle(cmd.Flags()); err != nil {
				return err
			}
			return a.choose(args[0], o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.limits.MaxValues, "max-values", 0, "latent values at most")
	f.IntVar(&o.limits.MaxParams, "max-params", 0, "parameters at most")
	f.Float64Var(&o.psnr, "min-psnr", 0, "PSNR at least, in dB")
	f.Float64Var(&o.ssim, "min-ssim", 0, "SSIM at least")
	f.Float64Var(&o.limits.MaxBCE, "max-bce", 0, "BCE at most, in nats a value")
	f.Float64Var(&o.latency, "max-latency", 0, "milliseconds for one image at most, measured on this machine")
	addLibrary(f, &o.library)
	f.Var(choice{&o.by, run.Purposes}, "for", "what to choose for")
	addJSON(cmd, &o.json)
	return cmd
}

// settle reads which limits were given, and what is chosen for: with limits of quality
// alone, size.
func (o *chooseOptions) settle(f *pflag.FlagSet) error {
	for _, name := range []string{"max-values", "max-params", "max-bce", "max-latency"} {
		if text := f.Lookup(name).Value.String(); f.Changed(name) && text == "0" {
			return fault.Usagef("--%s is 0, which no member keeps: give a number above 0", name)
		}
	}
	if f.Changed("min-psnr") {
		o.limits.MinPSNR = &o.psnr
	}
	if f.Changed("min-ssim") {
		o.limits.MinSSIM = &o.ssim
	}
	quality := o.limits.MinPSNR != nil || o.limits.MinSSIM != nil || o.limits.MaxBCE != 0
	if quality && o.latency == 0 && o.limits.MaxValues == 0 && o.limits.MaxParams == 0 && !f.Changed("for") {
		o.by = run.ForSize
	}
	return nil
}

func (a *app) choose(path string, o chooseOptions) error {
	_, front, err := openFront(path, nil)
	if err != nil {
		return err
	}
	if o.latency > 0 {
		if front, err = measureLatency(path, front, o.library).within(front, o.latency); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	m, err := front.Choose(o.limits, o.by)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if o.json {
		return a.printJSON(m)
	}
	fmt.Fprintf(a.Err, "%s\nwrite it as ONNX: `%s`\n", view.Taken(m), shell.Line("moncae", "export", path, "--candidate", m.ID, "--out", "models"))
	_, err = fmt.Fprintln(a.Out, m.ID)
	return err
}
