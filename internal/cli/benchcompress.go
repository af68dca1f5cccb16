package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"moncae/compress"
	"moncae/internal/fault"
)

func (a *app) newBenchCompress() *cobra.Command {
	var o compress.BenchOptions
	var d dataFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compress --encoder FILE --data DATA",
		Short: "Measure a whole compression against the bare ONNX Runtime session, and against a loop in Python",
		Long: `Measure a whole compression, in turn with what it is held against:

  - ONNX Runtime alone, a thread a core, over float32 tensors that are in memory already.
    The compression begins with decoded images in memory and ends with a file on the disk;
  - with --python, a straightforward loop of Pillow, ONNX Runtime and pyarrow. Both begin
    with a folder of JPEG or PNG files, and write an Arrow file. An interpreter's start and
    its imports are not counted, the opening of the session is.

Figures are medians over --rounds; the ratios are medians of each round's own ratio.`,
		Example: `  moncae bench compress --encoder encoder.onnx --data mnist
  moncae bench compress --encoder encoder.onnx --data photos/ --python python3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(map[string]string{"encoder": o.Encoder, "data": d.name}); err != nil {
				return err
			}
			if o.Rounds < 1 {
				return fault.Usagef("--rounds is %d; give 1 or more", o.Rounds)
			}
			if err := d.validateForModel(); err != nil {
				return err
			}
			o.Data, o.Dataset = d.name, d.options
			defer addProcessors(&o.Workers)()
			report, err := compress.Bench(cmd.Context(), o, func(p compress.Progress) {
				fmt.Fprintf(a.Err, "%s: round %d of %d, %.0f images/s\n", p.Phase, p.Rows, p.Total, p.PerSec)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(report)
			}
			return a.printBenchCompress(report)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.Encoder, "encoder", "e", "", "ONNX `file` of the encoder (required)")
	d.locate(f, "")
	d.prepare(f)
	addSplit(f, &d.options.Split)
	f.StringVar(&o.Python, "python", "", "`interpreter` with Pillow, ONNX Runtime and pyarrow: also measure a loop in Python over a folder of images")
	f.IntVar(&o.Batch, "batch", 0, "images a run of the encoder; 0: as compress takes it")
	f.IntVar(&o.Rounds, "rounds", 5, "measurements of each side")
	addForeign(f, &o.Foreign)
	addRuntimeDevice(f, &o.Device)
	addLibrary(f, &o.Library)
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printBenchCompress(r compress.BenchReport) error {
	lines := [][2]string{
		{"images", fmt.Sprintf("%d, batches of %d, %d workers, %s", r.Images, r.Batch, r.Workers, r.Provider)},
		{"session", fmt.Sprintf("%.0f images/s", r.Session)},
		{"compress", fmt.Sprintf("%.0f images/s, %.2f× the session", r.Compress, r.Ratio)},
	}
	if l := r.Loop; l != nil {
		lines = append(lines, [][2]string{
			{"Python", fmt.Sprintf("%.0f images/s from files (%s)", l.Python, l.Versions)},
			{"compress", fmt.Sprintf("%.0f images/s from files, %.2f× Python", l.Compress, l.Ratio)},
			{"difference", fmt.Sprintf("%.3g at most between the latents, which go up to %.3g", l.Difference, l.Largest)},
		}...)
	}
	return a.printLines(lines)
}
