package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/classify"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/score"
	"moncae/internal/view"
)

type classifyOptions struct {
	train, test, head, out, encoder, run, device, library string
	candidates                                            []string
	baselines, json                                       bool
	seed                                                  uint64
	data                                                  dataFlags
}

func (a *app) newClassify() *cobra.Command {
	var o classifyOptions
	cmd := &cobra.Command{
		Use:   "classify [RUN]",
		Short: "Measure how much of the data's use survived",
		Long: `Measure how much of the data's use survived: train a classifier on latents, write it as
ONNX, and score it on latents of the test split.

With --train and --test, files of latents that compress wrote; --data and --baselines put
the same head on PCA codes, on an untrained encoder's codes, and on the pixels.
With RUN, every member of a run's front, beside PCA codes of the same size; each opening
of the test split is counted, and the table is kept in the run for moncae report.

The heads, each with one recipe for all data, after a standardisation: linear is
multinomial logistic regression; mlp two hidden layers of 512 with batch norm and
dropout; conv two 3×3 convolutions of 64 filters and a hidden layer of 256.`,
		Example: `  moncae classify --train train.arrow --test test.arrow --head mlp --out heads
  moncae classify --train train.arrow --test test.arrow --encoder encoder.onnx --data mnist-mini --baselines --out heads
  moncae classify digits --head linear --out digits-heads`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.out == "" {
				return fault.Usagef("--out is missing: name the folder to make")
			}
			if len(args) == 1 {
				return a.classifyRun(cmd, args[0], &o)
			}
			return a.classifyFiles(cmd, &o)
		},
	}
	o.add(a, cmd.Flags())
	addJSON(cmd, &o.json)
	return cmd
}

func (o *classifyOptions) add(a *app, f *pflag.FlagSet) {
	f.StringVar(&o.train, "train", "", "`file` or folder of latents to train on")
	f.StringVar(&o.test, "test", "", "`file` or folder of latents to score on")
	f.Var(choice{&o.head, []string{"linear", "mlp", "conv"}}, "head", "kind of classifier (default linear)")
	f.StringVarP(&o.out, "out", "o", "", "`folder` to make: head.onnx, pipeline.onnx, report.json (required)")
	a.addOverwrite(f)
	f.StringVarP(&o.encoder, "encoder", "e", "", "the latents' encoder.onnx: also write pipeline.onnx, from image to logits")
	addCounting(f, &o.run)
	f.BoolVar(&o.baselines, "baselines", false, "score the same head on PCA codes, random codes and pixels too (needs --data)")
	f.StringArrayVarP(&o.candidates, "candidate", "c", []string{"front"}, "with RUN: an `ID`, best-loss, knee, front or population; can be repeated")
	f.Uint64Var(&o.seed, "seed", 46, "seed of the head's training")
	addDevice(f, &o.device)
	addLibrary(f, &o.library)
	o.data.locate(f, "")
	o.data.prepare(f)
}

// files is what the flags ask for without a RUN, but for the engine.
func (o *classifyOptions) files(a *app) (c classify.Options, err error) {
	switch {
	case o.train == "" || o.test == "":
		return c, fault.Usagef("give a RUN, or --train and --test with files of latents (moncae compress writes them)")
	case o.baselines && o.data.name == "":
		return c, fault.Usagef("--baselines needs the images: add --data")
	}
	return classify.Options{
		RunDir: o.run,
		Train:  o.train, Test: o.test, Head: head.Kind(o.head), Out: o.out, Overwrite: a.overwrite, Encoder: o.encoder,
		Data: o.data.name, Images: o.data.options, Baselines: o.baselines,
		Runtime: ort.Options{Library: o.library, Device: runtimeDevice(o.device)}, Seed: o.seed, FS: a.FS,
	}, o.data.validate()
}

// members is what the flags ask for with a RUN, but for the engine.
func (o *classifyOptions) members(a *app, path string, f *pflag.FlagSet) (c classify.MemberOptions, err error) {
	if o.train != "" || o.test != "" || o.encoder != "" || o.run != "" || o.baselines {
		return c, fault.Usagef("--train, --test, --encoder, --run and --baselines go with files of latents, not with a RUN")
	}
	return classify.MemberOptions{
		Candidates: o.candidates, Data: o.data.name, Images: o.data.options, Head: head.Kind(o.head), Out: o.out, Overwrite: a.overwrite,
		Runtime: ort.Options{Library: o.library, Device: runtimeDevice(o.device)}, Seed: o.seed, FS: a.FS,
	}, keepsPreprocessing(path, f)
}

func (a *app) classifyFiles(cmd *cobra.Command, o *classifyOptions) (err error) {
	c, err := o.files(a)
	if err != nil {
		return err
	}
	if c.Engine, err = a.openEngine(o.device); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Engine.Close()) }()
	report, err := classify.Run(cmd.Context(), c, a.stages())
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(report)
	}
	return a.printReport(report, o.out)
}

// stages shows what a long command is at.
func (a *app) stages() func(stage string, done, total int) {
	last := ""
	return func(stage string, done, total int) {
		switch {
		case a.Terminal && total > 0:
			fmt.Fprintf(a.Err, "\r\x1b[K%s %d/%d", stage, done, total)
			if done >= total {
				fmt.Fprint(a.Err, "\r\x1b[K")
			}
		case stage != last:
			fmt.Fprintln(a.Err, stage)
		}
		last = stage
	}
}

func (a *app) printReport(r *classify.Report, out string) error {
	t := table{head: []string{"features", "values", "accuracy", "95 % interval", "cross-entropy", "latents − this, 95 %"}, left: 1}
	line := func(name string, values int, s score.Score, paired *score.Paired) {
		gain := ""
		if paired != nil {
			gain = fmt.Sprintf("%+.4f [%+.4f, %+.4f]", paired.Gain, paired.Interval95[0], paired.Interval95[1])
		}
		t.add(name, fmt.Sprint(values), view.Fixed(s.Accuracy, 4), fmt.Sprintf("[%.4f, %.4f]", s.Interval95[0], s.Interval95[1]), view.Fixed(s.CrossEntropy, 4), gain)
	}
	line("latents", r.Values, r.Score, nil)
	if b := r.Baselines; b != nil {
		for _, n := range []struct {
			name string
			*score.Baseline
		}{{"PCA codes", b.PCA}, {"random encoder", b.Random}, {"pixels", b.Pixels}} {
			if n.Baseline != nil {
				line(n.name, n.Values, n.Score, n.Latents)
			}
		}
	}
	if err := t.print(a.Out); err != nil {
		return err
	}
	if err := a.printClasses(r.Score); err != nil {
		return err
	}
	lines := [][2]string{{"head", fmt.Sprintf("%s on latents %v, trained on %d rows, scored on %d by %s", r.Head, r.Latent, r.TrainRows, r.Rows, r.Provider)}}
	if p := r.Pipeline; p != nil {
		lines = append(lines, [2]string{"pipeline", fmt.Sprintf("image → logits: accuracy %.4f, %d rows differ from the head's", p.Accuracy, p.Differs)})
	}
	if r.TestOpenings != nil {
		lines = append(lines, [2]string{"test data", "of the encoder's run has been opened " + run.TimesInWords(*r.TestOpenings)})
	}
	for _, n := range r.Notes {
		lines = append(lines, [2]string{"note", n})
	}
	lines = append(lines, [2]string{"written", out})
	return a.printLines(lines)
}

func pcaGain(m score.Member) string {
	if m.PCA == nil {
		return ""
	}
	star := " "
	if i := m.PCA.Latents.Interval95; i[0] > 0 || i[1] < 0 {
		star = "*"
	}
	return fmt.Sprintf("%+.4f%s", m.PCA.Latents.Gain, star)
}

func (a *app) printClasses(s score.Score) error {
	if len(s.PerClass) > 20 {
		return nil
	}
	t := table{head: []string{"class", "precision", "recall", "images"}, left: 1}
	share := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return view.Fixed(*v, 3)
	}
	for _, c := range s.PerClass {
		t.add(c.Name, share(c.Precision), share(c.Recall), fmt.Sprint(c.Support))
	}
	if _, err := fmt.Fprintln(a.Out); err != nil {
		return err
	}
	return t.print(a.Out)
}

func (a *app) classifyRun(cmd *cobra.Command, path string, o *classifyOptions) (err error) {
	c, err := o.members(a, path, cmd.Flags())
	if err != nil {
		return err
	}
	r, err := run.Open(path)
	if err != nil {
		return err
	}
	if c.Engine, err = a.openEngine(o.device); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Engine.Close()) }()
	result, err := classify.RunMembers(cmd.Context(), r, c, a.stages())
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(result)
	}
	return a.printMembers(result, o.out)
}

func (a *app) printMembers(r *score.Table, out string) error {
	t := table{head: []string{"id", "latent", "bytes", "BCE", "accuracy", "95 % interval", "per byte", "PCA", "gain"}, left: 2}
	for _, m := range r.Members {
		t.add(m.ID, m.Latent.String(), fmt.Sprint(m.Bytes), view.Fixed(m.BCE, 4), view.Fixed(m.Accuracy, 4),
			fmt.Sprintf("%.4f–%.4f", m.Interval95[0], m.Interval95[1]), view.Fixed(m.AccuracyPerByte, 5), view.PCAAccuracy(m), pcaGain(m))
	}
	if err := t.print(a.Out); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s head, trained on %d rows; all figures on %d test images of %s (an image is %d bytes raw), by %s.\n", r.Head, r.TrainRows, r.Rows, r.Data, r.BytesRaw, r.Provider)
	fmt.Fprintf(&b, "PCA: the same head on as many PCA codes; gain: the latents' accuracy less PCA's, * where its 95 %% interval leaves 0 out.\n")
	if slices.ContainsFunc(r.Members, func(m score.Member) bool { return m.PCA == nil }) {
		fmt.Fprintf(&b, "–: %s.\n", view.NeedsOfPCA)
	}
	if r.TestOpenings != nil {
		fmt.Fprintf(&b, "The run's test data has been opened %s.\n", run.TimesInWords(*r.TestOpenings))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	if p := r.Paper; p != nil {
		here := "no member is so small"
		if p.Here != nil {
			here = fmt.Sprintf("BCE %.3f, LOC %.3f, classification loss %.3f, accuracy %.3f (mean of %d)", p.Here.BCE, p.Here.LOC, p.Here.CrossEntropy, p.Here.Accuracy, p.Members)
		}
		fmt.Fprintf(&b, "LOC < %g, here:      %s\n", p.Threshold, here)
		fmt.Fprintf(&b, "LOC < %g, the paper: BCE %.3f, LOC %.3f, classification loss %.3f, accuracy %.3f (Table 1, 10 runs)\n", p.Threshold, p.Paper.BCE, p.Paper.LOC, p.Paper.CrossEntropy, p.Paper.Accuracy)
	}
	fmt.Fprintf(&b, "written to %s\n", out)
	_, err := fmt.Fprint(a.Out, b.String())
	return err
}
