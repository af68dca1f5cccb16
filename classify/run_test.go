package classify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/engine/onednn"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/latent"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/score"
)

// runtimeOptions finds ONNX Runtime, or skips.
func runtimeOptions(t *testing.T) ort.Options {
	t.Helper()
	o := ort.Options{Device: "cpu", Threads: 1}
	if _, _, err := ort.Load(""); err != nil {
		t.Skipf("ONNX Runtime is needed: %v (make deps)", err)
	}
	return o
}

// digits are small samples of the built-in set, as a whole run meets them.
var digits = dataset.Options{Limit: 400}

const rowsOfDigits = 400

// small is an encoder 1×28×28 → 3×7×7; untrained, which is a fair feature extractor.
func small() arch.Arch {
	conv := func(n int) arch.Layer { return arch.Layer{Kind: arch.Conv, Filters: n, Kernel: 3, Stride: 1} }
	relu, pool := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}, arch.Layer{Kind: arch.MaxPool}
	up := func(n int) arch.Layer { return arch.Layer{Kind: arch.Upsample, To: &[2]int{n, n}} }
	return arch.Arch{
		Input:   arch.Shape{C: 1, H: 28, W: 28},
		Encoder: arch.Stack{conv(4), relu, pool, conv(3), pool},
		Decoder: arch.Stack{up(14), conv(4), relu, up(28), conv(1)},
	}
}

// fastest is the CPU engine that this build has.
func fastest() engine.Engine {
	if e, err := onednn.New(); err == nil {
		return e
	}
	return ref.New()
}

// bench is a folder with an encoder and the latents that it makes of digits.
type bench struct {
	dir     string
	encoder string
	train   string
	test    string
	arch    arch.Arch
	weights arch.Weights
}

func newBench(t *testing.T) bench {
	t.Helper()
	return benchOf(t, t.TempDir(), digits)
}

func benchOf(t *testing.T, dir string, how dataset.Options) bench {
	t.Helper()
	o := runtimeOptions(t)
	b := bench{dir: dir, arch: small()}
	b.weights = arch.InitialWeights(b.arch.Params(), 5)
	nets, err := onnxnet.Build(b.arch, b.weights, onnx.Float)
	if err != nil {
		t.Fatal(err)
	}
	b.encoder = filepath.Join(b.dir, "encoder.onnx")
	if err := os.WriteFile(b.encoder, nets.Encoder.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.train, b.test = filepath.Join(b.dir, "train.arrow"), filepath.Join(b.dir, "test.arrow")
	for split, path := range map[string]string{"train": b.train, "test": b.test} {
		how.Split = split
		writeLatents(t, path, how, nets.Encoder, b.arch, o)
	}
	return b
}

func writeLatents(t *testing.T, path string, how dataset.Options, encoder *onnx.Model, a arch.Arch, o ort.Options) {
	t.Helper()
	set, err := dataset.Load(context.Background(), dataset.Default, how)
	if err != nil {
		t.Fatal(err)
	}
	session, err := ort.OpenModel(encoder, o)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	features, err := forward(context.Background(), session, set.Rows(), ort.ByteRows(set.Images, set.Shape.Values()), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	rows := latent.Rows{Latents: features}
	for i := range set.Rows() {
		rows.IDs = append(rows.IDs, set.ID(i))
		rows.Labels = append(rows.Labels, int64(set.Labels[i]))
	}
	putLatents(t, path, latent.Meta{
		Shape: a.Latent(), Encoder: encoder.Hash(), Arch: string(text),
		Dataset: `{"name":"mnist-mini","split":"` + how.Split + `"}`, Fingerprint: set.Info.Fingerprint, Classes: set.Classes,
	}, rows)
}

func putLatents(t *testing.T, path string, m latent.Meta, rows latent.Rows) {
	t.Helper()
	o, err := latent.Options{}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	given := false
	_, err = latent.WriteFile(latent.Disk{}, path, m, o, func(int) (latent.Rows, error) {
		if given {
			return latent.Rows{}, io.EOF
		}
		given = true
		return rows, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) (latent.Meta, latent.Rows) {
	t.Helper()
	m, rows, err := latent.ReadAll(path)
	if err != nil {
		t.Fatal(err)
	}
	return m, rows
}

// change rewrites a file of latents.
func change(t *testing.T, from, to string, edit func(*latent.Meta, *latent.Rows)) string {
	t.Helper()
	m, rows := read(t, from)
	edit(&m, &rows)
	putLatents(t, to, m, rows)
	return to
}

func (b bench) options(out string) Options {
	return Options{
		Train: b.train, Test: b.test, Out: filepath.Join(b.dir, out), Engine: fastest(),
		Runtime: ort.Options{Device: "cpu", Threads: 1}, Seed: 3,
	}
}

// The whole way: every figure of the report follows from the files it comes with.
func TestRunWithEncoderAndBaselines(t *testing.T) {
	b := newBench(t)
	o := b.options("out")
	o.Encoder, o.Data, o.Images, o.Baselines = b.encoder, dataset.Default, digits, true
	r, err := Run(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != rowsOfDigits || r.TrainRows != rowsOfDigits || r.Values != 147 || r.TestOpenings != nil {
		t.Errorf("rows %d and %d, values %d, openings %v of no run", r.TrainRows, r.Rows, r.Values, r.TestOpenings)
	}
	if r.Provider != ort.CPU {
		t.Errorf("provider %s", r.Provider)
	}
	if r.Accuracy < 0.7 { // 0.83 measured
		t.Errorf("accuracy %v", r.Accuracy)
	}
	if p := r.Pipeline; p == nil || p.Differs > 1 {
		t.Errorf("pipeline %+v", p)
	}
	for _, base := range []*score.Baseline{r.Baselines.PCA, r.Baselines.Random, r.Baselines.Pixels} {
		if base == nil || base.Accuracy < 0.7 || base.Rows != rowsOfDigits {
			t.Fatalf("baseline %+v", base)
		}
		near(t, base.Features+": the latents' gain", base.Latents.Gain, r.Accuracy-base.Accuracy, 1e-12)
	}
	if got := r.Baselines.Random.Values; got != 147 {
		t.Errorf("random codes have %d values", got)
	}
	again(t, o, r)
}

// again scores the written head.onnx itself, and reads the report back.
func again(t *testing.T, o Options, want *Report) {
	t.Helper()
	model, err := onnx.ReadFile(filepath.Join(o.Out, HeadFile))
	if err != nil {
		t.Fatal(err)
	}
	session, err := ort.OpenModel(model, o.Runtime)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	test, err := readLatents(o.Test)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := forward(context.Background(), session, test.rows(), ort.FloatRows(test.Features, test.Shape.Values()), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := score.New(logits, test.Labels, test.meta.Classes)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy of the file", s.Accuracy, want.Accuracy, 0)
	near(t, "cross-entropy of the file", s.CrossEntropy, want.CrossEntropy, 1e-12)
	var read Report
	text, err := os.ReadFile(filepath.Join(o.Out, ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy of the report", read.Accuracy, want.Accuracy, 0)
	if read.Confusion[1][1] != want.Confusion[1][1] || read.Format != ReportFormat {
		t.Errorf("report.json reads %+v", read)
	}
}

// Pixels that nothing was held against are told of.
func TestPixelsThatWereNotCompared(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		edit  func(*latent.Meta, *latent.Rows)
		notes int
	}{
		"a whole split":  {func(*latent.Meta, *latent.Rows) {}, 0},
		"part of it":     {func(_ *latent.Meta, r *latent.Rows) { *r = r.Slice(0, rowsOfDigits-1, 147) }, 1},
		"no fingerprint": {func(m *latent.Meta, _ *latent.Rows) { m.Fingerprint = "" }, 1},
	} {
		o := b.options("notes " + name)
		o.Data, o.Images = dataset.Default, digits
		o.Test = change(t, b.test, filepath.Join(b.dir, name+".arrow"), c.edit)
		r, err := Run(context.Background(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Notes) != c.notes || (c.notes > 0 && !strings.Contains(r.Notes[0], "its pixels were not compared")) {
			t.Errorf("%s: notes %q", name, r.Notes)
		}
	}
}

// Every head learns; the same seed gives the same file, another seed another MLP.
func TestHeads(t *testing.T) {
	b := newBench(t)
	for _, kind := range head.Kinds {
		o := b.options(string(kind))
		o.Head = kind
		if kind == head.ConvNet && o.Engine.Info().Name == "ref" {
			t.Log("the convolutional head takes minutes on the reference engine: not tried in this build")
			continue
		}
		r, err := Run(context.Background(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Accuracy < 0.7 || r.Fit.BestEpoch < 1 || r.Fit.Rows+r.Fit.HeldRows != rowsOfDigits {
			t.Errorf("%s: accuracy %v, fit %+v", kind, r.Accuracy, r.Fit)
		}
	}
	o := b.options("again")
	o.Head = head.MLP
	if _, err := Run(context.Background(), o, nil); err != nil {
		t.Fatal(err)
	}
	first, second := modelHash(t, b, "mlp"), modelHash(t, b, "again")
	if first != second {
		t.Errorf("one seed gave %s and %s", first, second)
	}
}

func modelHash(t *testing.T, b bench, out string) string {
	t.Helper()
	m, err := onnx.ReadFile(filepath.Join(b.dir, out, HeadFile))
	if err != nil {
		t.Fatal(err)
	}
	return m.Hash()
}

func TestRunRefuses(t *testing.T) {
	b := newBench(t)
	at := func(name string) string { return filepath.Join(b.dir, name) }
	foreign := at("foreign.onnx")
	nets, err := onnxnet.Build(b.arch, arch.InitialWeights(b.arch.Params(), 6), onnx.Float)
	if err != nil {
		t.Fatal(err)
	}
	full := at("full")
	if err := errors.Join(os.WriteFile(foreign, nets.Encoder.Bytes(), 0o600), os.Mkdir(full, 0o755), os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	cut := at("cut.arrow")
	text, err := os.ReadFile(b.test)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*Options)
		say  string
		kind fault.Kind
	}{
		"no labels": {func(o *Options) {
			o.Train = change(t, b.train, at("unlabelled.arrow"), func(_ *latent.Meta, r *latent.Rows) { r.Labels = nil })
		}, "no labels", fault.Usage},
		"some labels missing": {func(o *Options) {
			o.Test = change(t, b.test, at("partly.arrow"), func(_ *latent.Meta, r *latent.Rows) { r.Labels[7] = latent.NoLabel })
		}, "1 of 400 rows have no label", fault.Usage},
		"two encoders": {func(o *Options) {
			o.Test = change(t, b.test, at("other.arrow"), func(m *latent.Meta, _ *latent.Rows) { m.Encoder = strings.Repeat("ab", 32) })
		}, "two encoders", fault.Usage},
		"another encoder": {func(o *Options) { o.Encoder = foreign }, "is not the encoder of", fault.Usage},
		"no encoder known": {func(o *Options) {
			forget := func(m *latent.Meta, _ *latent.Rows) { m.Encoder = "" }
			o.Train, o.Test = change(t, b.train, at("a.arrow"), forget), change(t, b.test, at("b.arrow"), forget)
			o.Encoder = b.encoder
		}, "can't be checked", fault.Usage},
		"the training file as test": {func(o *Options) { o.Test = b.train }, "400 of 400 rows", fault.Usage},
		"one training row in the test, rounded": {func(o *Options) {
			m, rows := read(t, b.train)
			o.Test = change(t, b.test, at("overlap.arrow"), func(tm *latent.Meta, r *latent.Rows) {
				tm.Dataset = m.Dataset
				r.Append(rows.Slice(0, 1, m.Shape.Values()))
				r.Latents[len(r.Latents)-1] += 1e-3
			})
		}, "1 of 401 rows", fault.Usage},
		"training rows in the test, as another share numbers them": {func(o *Options) {
			m, rows := read(t, b.train)
			o.Test = change(t, b.test, at("twins.arrow"), func(tm *latent.Meta, r *latent.Rows) {
				tm.Dataset = m.Dataset
				some := rows.Slice(100, 400, m.Shape.Values())
				for i := range some.IDs {
					some.IDs[i] = int64(i)
				}
				*r = some
			})
		}, "256 of 256 rows that were looked at", fault.Usage},
		"other classes": {func(o *Options) {
			o.Test = change(t, b.test, at("classes.arrow"), func(m *latent.Meta, _ *latent.Rows) { m.Classes = append([]string{"zero"}, m.Classes[1:]...) })
		}, "classes", fault.Usage},
		"a label out of range": {func(o *Options) {
			o.Test = change(t, b.test, at("label.arrow"), func(_ *latent.Meta, r *latent.Rows) { r.Labels[3] = 10 })
		}, "row 3: label 10", fault.Damaged},
		"one class": {func(o *Options) {
			o.Train = change(t, b.train, at("one.arrow"), func(_ *latent.Meta, r *latent.Rows) { clear(r.Labels) })
		}, "two classes", fault.Usage},
		"another data set": {func(o *Options) {
			o.Data, o.Images = dataset.Default, dataset.Options{Limit: 400, Seed: 9}
		}, "is not the data set", fault.Usage},
		"a data set with other pixels": {func(o *Options) {
			o.Train = change(t, b.train, at("pixels.arrow"), func(m *latent.Meta, _ *latent.Rows) { m.Fingerprint = strings.Repeat("0", 64) })
			o.Data, o.Images = dataset.Default, digits
		}, "the fingerprint of its split train", fault.Usage},
		"half a file":        {func(o *Options) { o.Test = cut }, "cut.arrow", fault.Damaged},
		"no file":            {func(o *Options) { o.Test = at("none.arrow") }, "none.arrow", fault.Usage},
		"no head":            {func(o *Options) { o.Head = "tree" }, "linear, mlp, conv", fault.Usage},
		"someone's folder":   {func(o *Options) { o.Out = full }, "holds other files", fault.Usage},
		"baselines, no data": {func(o *Options) { o.Baselines = true }, "--data", fault.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			o := b.options("refused")
			c.edit(&o)
			_, err := Run(context.Background(), o, nil)
			if err == nil {
				t.Fatal("it was not refused")
			}
			if fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.say) {
				t.Errorf("kind %d: %v; wanted is kind %d with %q", fault.Of(err), err, c.kind, c.say)
			}
			if _, err := os.Stat(o.Out); err == nil && o.Out != full {
				t.Error("there is an output folder all the same")
			}
		})
	}
}

// cancelling is an engine that ends its context when it is first used.
type cancelling struct {
	engine.Engine
	cancel context.CancelFunc
}

func (c cancelling) Load(s engine.Source) (engine.Data, error) {
	c.cancel()
	return c.Engine.Load(s)
}

func TestRunStopsWithItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	o := b.options("stopped")
	o.Engine = cancelling{o.Engine, cancel}
	if _, err := Run(ctx, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(b.dir, "*stopped*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// near fails where got is farther from want than tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, wanted is %v ± %v", what, got, want, tolerance)
	}
}
