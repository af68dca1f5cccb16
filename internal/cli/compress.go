package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/compress"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/modelinput"
	"moncae/internal/run"
	"moncae/search/task"
)

type compressOptions struct {
	compress.Options
	data                               dataFlags
	dtype, layout, format, compression string
	json                               bool
	workers                            workerFlags
}

func (a *app) newCompress() *cobra.Command {
	var o compressOptions
	cmd := &cobra.Command{
		Use:   "compress --encoder FILE --data DATA --out FILE",
		Short: "Take a data set through an encoder into a file of latents",
		Long: `Take a data set through an ONNX encoder into an Arrow (or Parquet) file of latents.

Images are prepared as the encoder's metadata say. An encoder from elsewhere, as PyTorch
exports it for example, needs one image input; --images, --scale or --mean and --std, and
--output say what it takes and gives. They are kept in the latents: decompress, classify
and --resume follow them.`,
		Example: `  moncae compress --encoder digits/export/g4-2/encoder.onnx --data mnist-mini --split test --out test.arrow
  moncae compress --encoder encoder.onnx --data photos.zip --dtype int8 --format parquet --out photos.parquet
  moncae compress --encoder encoder.onnx --data photos/ --shard-rows 100000 --out shards --resume
  moncae compress --encoder vae.onnx --output mu --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --data photos/ --image-size 224x224 --out photos.arrow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.compress(cmd, &o) },
	}
	o.add(a, cmd.Flags())
	addJSON(cmd, &o.json)
	return cmd
}

func (o *compressOptions) add(a *app, f *pflag.FlagSet) {
	f.StringVarP(&o.Encoder, "encoder", "e", "", "ONNX `file` of the encoder (required)")
	f.StringVar(&o.Decoder, "decoder", "", "ONNX `file` of the decoder that quality is measured with, or none (default: decoder.onnx beside the encoder)")
	f.StringVarP(&o.Out, "out", "o", "", "`file` to write; with --shard-rows a folder (required)")
	o.data.locate(f, "")
	o.data.prepare(f)
	addSplit(f, &o.data.options.Split)
	f.Var(choice{&o.dtype, []string{"float32", "float16", "int8"}}, "dtype", "of the stored values (default float32)")
	f.Var(choice{&o.layout, []string{"tensor", "list"}}, "layout", "type of the column: list for readers that refuse extension types (default tensor)")
	f.Var(choice{&o.format, []string{"file", "stream", "parquet"}}, "format", "Arrow IPC file or stream, or Parquet (default by the ending of --out, otherwise file)")
	f.Var(choice{&o.compression, []string{"none", "lz4", "zstd"}}, "compression", "of the file; none maps into memory without a copy (default none)")
	a.addOverwrite(f)
	f.BoolVar(&o.WithError, "with-error", false, "add the column error: each image's mean squared error")
	f.IntVar(&o.ShardRows, "shard-rows", 0, "write files of so many rows and a _manifest.json into the folder --out; 0: one file")
	f.BoolVar(&o.Resume, "resume", false, "go on behind the last whole shard")
	f.IntVar(&o.Batch, "batch", 0, "images a run of the encoder; 0: 32, fewer for large images (256 on a GPU)")
	addForeign(f, &o.Foreign)
	o.workers.addShards(f)
	addCounting(f, &o.RunDir)
	addRuntimeDevice(f, &o.Device)
	addLibrary(f, &o.Library)
}

// resolve is what the flags ask for.
func (o *compressOptions) resolve(a *app) (compress.Options, error) {
	c := o.Options
	if err := required(map[string]string{"encoder": c.Encoder, "data": o.data.name, "out": c.Out}); err != nil {
		return c, err
	}
	if err := o.data.validateForModel(); err != nil {
		return c, err
	}
	c.Overwrite, c.FS = a.overwrite, a.FS
	c.Data, c.Dataset = o.data.name, o.data.options
	c.Store = latent.Options{
		DType: latent.DType(o.dtype), Layout: latent.Layout(o.layout), Format: latent.Format(o.format), Compression: latent.Compression(o.compression),
	}
	return c, nil
}

// addCounting adds the flag that names the run in which uses of test images count.
func addCounting(f *pflag.FlagSet, to *string) {
	f.StringVarP(to, "run", "r", "", "`folder` of the encoder's run, which counts uses of its test images (default: the run that the encoder lies in)")
}

// addForeign adds the flags that describe an encoder without moncae's metadata.
func addForeign(f *pflag.FlagSet, to *modelinput.Spec) {
	f.Var(choice{(*string)(&to.Layout), []string{"nchw", "nhwc"}}, "images", "axes of a foreign encoder's input (default as its shape says, otherwise nchw)")
	f.Var(choice{(*string)(&to.Scale), []string{"unit", "raw", "symmetric"}}, "scale", "a foreign encoder's values: unit 0…1, raw 0…255, symmetric −1…1 (default unit; raw where it takes bytes)")
	f.Var(numbersFlag{&to.Mean}, "mean", "mean of each channel's pixels in 0…1, which a foreign encoder wants taken off: 0.485,0.456,0.406 for example")
	f.Var(numbersFlag{&to.Std}, "std", "their standard deviations, which it wants them divided by then")
	f.StringVar(&to.Output, "output", "", "`name` of the output that is the latent, of a foreign encoder with several: mu for example")
}

func (a *app) compress(cmd *cobra.Command, o *compressOptions) (err error) {
	c, err := o.resolve(a)
	if err != nil {
		return err
	}
	if err := o.workers.check(0); err != nil {
		return err
	}
	if o.workers.where != "" {
		if c.Pool, err = o.workers.pool(cmd.Context(), a, c.Device, c.Library, task.Same(false)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Pool.Close()) }()
	}
	defer addProcessors(&c.Workers)()
	watch := &rowProgress{app: a}
	report, err := compress.Run(cmd.Context(), c, watch.observe)
	watch.end()
	if partial := (*compress.Partial)(nil); errors.As(err, &partial) && errors.Is(err, context.Canceled) {
		return goOn{err, partial.How()}
	}
	if err != nil {
		return err
	}
	a.skipped(report.Skipped)
	if o.json {
		return a.printJSON(report)
	}
	return a.printCompression(report)
}

func (a *app) printCompression(r compress.Report) error {
	ratio := func(n int64) string {
		if n == 0 || r.BytesOut == 0 {
			return "–"
		}
		return fmt.Sprintf("%s (%.2f× of what was written)", humanBytes(n), float64(n)/float64(r.BytesOut))
	}
	lines := [][2]string{
		{"out", r.Out}, {"rows", fmt.Sprintf("%d of %s, split %s", r.Rows, r.Dataset, r.Split)},
		{"latent", fmt.Sprintf("%v %s, %.1f× fewer values than the image", r.Latent, r.DType, r.ValuesRatio)},
		{"written", fmt.Sprintf("%s, %.3f bits a pixel", humanBytes(r.BytesOut), r.BitsPerPixel)},
		{"raw pixels", ratio(r.BytesRaw)}, {"source files", ratio(r.BytesSource)}, {"as PNG", ratio(r.BytesPNG) + fmt.Sprintf(", from %d rows", r.SampleRows)},
		{"time", fmt.Sprintf("%.1f s, %.0f images/s, %s", r.Seconds, r.ImagesPerSec, r.Provider)},
	}
	if q := r.Quality; q != nil {
		lines = append(lines, [2]string{"decoded", fmt.Sprintf("MSE %.5f, PSNR %.2f dB, SSIM %.4f, over %d rows", q.MSE, q.PSNR, q.SSIM, r.SampleRows)})
	}
	if r.TestOpenings != nil {
		lines = append(lines, [2]string{"test data", "of the encoder's run has been opened " + run.TimesInWords(*r.TestOpenings)})
	}
	for _, n := range r.Notes {
		lines = append(lines, [2]string{"note", n})
	}
	return a.printLines(lines)
}

func (a *app) printLines(lines [][2]string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintf(a.Out, "%-13s %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// required refuses an empty flag.
func required(flags map[string]string) error {
	for _, name := range []string{"run", "encoder", "decoder", "train", "test", "data", "in", "out", "format"} {
		if value, ok := flags[name]; ok && value == "" {
			return fault.Usagef("--%s is missing", name)
		}
	}
	return nil
}

// rowProgress shows how far a stream of rows is.
type rowProgress struct {
	*app
	bar   *progressbar.ProgressBar
	phase string
	last  time.Time
}

func (p *rowProgress) observe(q compress.Progress) {
	left := ""
	if q.Left > 0 {
		left = ", " + q.Left.Round(time.Second).String() + " left"
	}
	line := fmt.Sprintf("%s: %d images, %.0f/s, %s written%s", q.Phase, q.Rows, q.PerSec, humanBytes(q.Written), left)
	if !p.Terminal {
		if time.Since(p.last) > 10*time.Second {
			if !p.last.IsZero() {
				fmt.Fprintln(p.Err, line)
			}
			p.last = time.Now()
		}
		return
	}
	if p.bar == nil || p.phase != q.Phase {
		p.end()
		p.phase = q.Phase
		p.bar = progressbar.NewOptions64(q.Total, progressbar.OptionSetWriter(p.Err), progressbar.OptionSetWidth(25),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}))
	}
	p.bar.Describe(line)
	quietly(p.bar.Set64(q.Rows))
}

func (p *rowProgress) end() {
	if p.bar != nil {
		quietly(p.bar.Finish())
		p.bar = nil
	}
}

func (a *app) newDecompress() *cobra.Command {
	var o compress.DecompressOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "decompress --decoder FILE --in FILE --out OUT",
		Short: "Turn latents back into images",
		Long: `Turn latents back into images: a folder of PNG files, an .npy array N×C×H×W, or an
.arrow file of tensors, by the ending of --out.`,
		Example: `  moncae decompress --decoder digits/export/g4-2/decoder.onnx --in test.arrow --out images
  moncae decompress --decoder decoder.onnx --in test.arrow --out images.npy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(map[string]string{"decoder": o.Decoder, "in": o.In, "out": o.Out}); err != nil {
				return err
			}
			o.FS = a.FS
			defer addProcessors(&o.Workers)()
			o.Overwrite = a.overwrite
			watch := &rowProgress{app: a}
			report, err := compress.Decompress(cmd.Context(), o, watch.observe)
			watch.end()
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(report)
			}
			lines := [][2]string{
				{"out", report.Out}, {"images", fmt.Sprintf("%d of %v", report.Rows, report.Image)},
				{"bytes", fmt.Sprintf("%s of latents became %s", humanBytes(report.BytesIn), humanBytes(report.BytesOut))},
				{"time", fmt.Sprintf("%.1f s, %s", report.Seconds, report.Provider)},
			}
			for _, n := range report.Notes {
				lines = append(lines, [2]string{"note", n})
			}
			return a.printLines(lines)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Decoder, "decoder", "", "ONNX `file` of the decoder (required)")
	f.StringVarP(&o.In, "in", "i", "", "`file` or folder of latents (required)")
	f.StringVarP(&o.Out, "out", "o", "", "what to write: a new `folder`, or a file .npy or .arrow (required)")
	a.addOverwrite(f)
	f.BoolVar(&o.Float, "float", false, "float32 in [0,1] instead of bytes (.npy and .arrow)")
	f.BoolVar(&o.Force, "force", false, "use a decoder that doesn't belong to the latents")
	f.IntVar(&o.Batch, "batch", 0, "images a run of the decoder; 0: 32, fewer for large images (256 on a GPU)")
	addRuntimeDevice(f, &o.Device)
	addLibrary(f, &o.Library)
	addJSON(cmd, &asJSON)
	return cmd
}

// addProcessors gives Go's scheduler more processors than the workers of a
// compression, and says how many those are, until the function that it gives is
// called. A goroutine within ONNX Runtime keeps a processor; where none is idle,
// the scheduler takes it away in each run of a batch and starts a thread that
// looks for work and finds none, at a seventh of the throughput. This is the
// program's business: the package compress leaves the process as it is.
func addProcessors(workers *int) (restore func()) {
	before := runtime.GOMAXPROCS(0)
	if *workers <= 0 {
		*workers = before
	}
	runtime.GOMAXPROCS(before + *workers)
	return func() { runtime.GOMAXPROCS(before) }
}
