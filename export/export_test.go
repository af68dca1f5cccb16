package export

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/certificate"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
)

// small is an autoencoder of 1×7×7 images with a latent of 2×4×4.
func small(t *testing.T) candidate {
	t.Helper()
	conv := func(f int) arch.Layer { return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: 3, Stride: 1} }
	relu := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 7, W: 7},
		Encoder: arch.Stack{conv(4), {Kind: arch.BatchNorm}, relu, {Kind: arch.Dropout, Rate: 0.1}, {Kind: arch.MaxPool}, conv(2)},
		Decoder: arch.Stack{conv(4), relu, {Kind: arch.Upsample, To: &[2]int{7, 7}}, conv(1)},
	}
	r := rand.New(rand.NewPCG(5, 6))
	w := randomWeights(a.Params(), r)
	s := referenceSample(t, a, w, 6, r)
	return candidate{
		Trained: run.Trained{Arch: a, Weights: w, Candidate: &run.Candidate{
			ID: "g1-02", Recipe: arch.Recipe{Optimizer: arch.Adam, LearningRate: 1e-3, Schedule: arch.OneCycle},
		}},
		Run: "abc", DataName: "squares", Fingerprint: "f00", Preprocess: json.RawMessage("{\n \"channels\": 1\n}"), Loss: "bce",
		Metrics:    map[string]float64{"values": 32, "bce": 0.25, "psnr": math.Inf(1), "own": 1.5},
		Baselines:  map[string]map[string]float64{"pca": {"bce": 0.3}},
		Objectives: map[string]float64{"loss": 0.25, "loc": 1.505},
		Place:      2, Members: 5,
		sample: func() (run.Forward, error) { return s, nil },
	}
}

func TestExportWritesAProvenFolder(t *testing.T) {
	needORT(t)
	out := filepath.Join(t.TempDir(), "new", "out")
	c := small(t)
	results, err := exportAll(context.Background(), []candidate{c}, Options{Out: out})
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	dir := filepath.Join(out, "g1-02")
	if got := names(t, dir); !slices.Equal(got, []string{"README.md", "arch.json", "autoencoder.onnx", "decoder.onnx", "encoder.onnx", "export.json"}) {
		t.Errorf("files %v", got)
	}
	if got := names(t, out); !slices.Equal(got, []string{"g1-02"}) {
		t.Errorf("beside the export: %v", got)
	}
	encoder, decoder := readModel(t, dir, "encoder"), readModel(t, dir, "decoder")
	meta := encoder.Metadata()
	if meta[metakey.Pair] != decoder.Hash() || decoder.Metadata()[metakey.Pair] != encoder.Hash() {
		t.Error("encoder and decoder don't name each other")
	}
	var a arch.Arch
	if err := json.Unmarshal([]byte(meta[metakey.Arch]), &a); err != nil || a.Latent() != c.Arch.Latent() {
		t.Errorf("%s: %v, %v", metakey.Arch, a, err)
	}
	want := map[string]string{
		metakey.Run: "abc", metakey.Candidate: "g1-02", metakey.Dataset: `{"name":"squares","fingerprint":"f00"}`,
		metakey.Preprocess: `{"channels":1,"layout":"nchw","scale":"unit"}`, metakey.Metrics: `{"bce":0.25,"own":1.5,"values":32}`,
	}
	for k, v := range want {
		if meta[k] != v {
			t.Errorf("%s is %q, want %q", k, meta[k], v)
		}
	}
	var cert about
	b, err := os.ReadFile(filepath.Join(dir, "export.json"))
	if err == nil {
		err = json.Unmarshal(b, &cert)
	}
	if err != nil || len(cert.Checks) != 4 || cert.Files[0].Hash != encoder.Hash() || cert.DType != "float32" {
		t.Errorf("export.json: %v, %v", cert, err)
	}
	if n, err := certificate.Folder(dir); n != 6 || err != nil {
		t.Errorf("%d files in the certificate, %v", n, err)
	}
	for _, k := range cert.Checks {
		if k.Skipped != "" || k.Images < 4 || !(k.Difference <= k.Tolerance) || k.Tolerance > 1e-3 {
			t.Errorf("check %+v", k)
		}
	}
}

func TestExportIsRepeatable(t *testing.T) {
	needORT(t)
	contents := func() map[string]string {
		out := t.TempDir()
		if _, err := exportAll(context.Background(), []candidate{small(t)}, Options{Out: out}); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, n := range names(t, filepath.Join(out, "g1-02")) {
			b, err := os.ReadFile(filepath.Join(out, "g1-02", n))
			if err != nil {
				t.Fatal(err)
			}
			files[n] = string(b)
		}
		return files
	}
	first, second := contents(), contents()
	for name := range first {
		if first[name] != second[name] {
			t.Errorf("%s differs", name)
		}
	}
}

func TestExportReplacesAnExportOnly(t *testing.T) {
	needORT(t)
	out := t.TempDir()
	overwrite := false
	export := func(c candidate, dtype string) error {
		_, err := exportAll(context.Background(), []candidate{c}, Options{Out: out, DType: dtype, Overwrite: overwrite})
		return err
	}
	if err := export(small(t), "float32"); err != nil {
		t.Fatal(err)
	}
	if err := export(small(t), "float16"); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "replaced with --overwrite only") {
		t.Errorf("an export is replaced unasked: %v", err)
	}
	overwrite = true
	whole := readModel(t, filepath.Join(out, "g1-02"), "encoder").Bytes()
	for _, id := range []string{"g1-02", "g9-09"} { // what a killed process leaves
		if err := os.Mkdir(filepath.Join(out, "."+id+durable.TempMark+"place"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	release, err := durable.LockFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := export(small(t), "float16"); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two exports at once: %v", err)
	}
	release()
	if err := export(small(t), "float16"); err != nil {
		t.Fatal(err)
	}
	half := readModel(t, filepath.Join(out, "g1-02"), "encoder").Bytes()
	if got := names(t, out); !slices.Equal(got, []string{"g1-02"}) || len(half) >= len(whole) {
		t.Errorf("files %v; float16 %d bytes, float32 %d", got, len(half), len(whole))
	}
	mine := filepath.Join(out, "thesis")
	if err := os.MkdirAll(filepath.Join(mine, "chapter"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := small(t)
	c.ID = "thesis"
	if err := export(c, ""); fault.Of(err) != fault.Usage || !slices.Equal(names(t, mine), []string{"chapter"}) {
		t.Errorf("someone's folder: error %v, holds %v", err, names(t, mine))
	}
}

func TestExportRefuses(t *testing.T) {
	needORT(t)
	cases := map[string]struct {
		change func(*candidate, *Options)
		says   string
	}{
		"a trainer that differs": {func(c *candidate, _ *Options) { spoil(t, c, func(s *run.Forward) { s.Latents[40] += 0.01 }) }, "value 8 of image 1"},
		"other reconstructions":  {func(c *candidate, _ *Options) { spoil(t, c, func(s *run.Forward) { s.Outputs[3] = 7 }) }, "decoder.onnx"},
		"NaN in the trainer": {func(c *candidate, _ *Options) {
			spoil(t, c, func(s *run.Forward) { s.Latents[0] = float32(math.NaN()) })
		}, "NaN"},
		"no images": {func(c *candidate, _ *Options) { spoil(t, c, func(s *run.Forward) { *s = run.Forward{} }) }, "not one or more images"},
		"no sample": {func(c *candidate, _ *Options) {
			c.sample = func() (run.Forward, error) { return run.Forward{}, errors.New("gone") }
		}, "gone"},
		"a weight that is NaN":  {func(c *candidate, _ *Options) { c.Weights["encoder.5.weight"][3] = float32(math.NaN()) }, "encoder.5.weight"},
		"too large for float16": {func(c *candidate, o *Options) { o.DType = "float16"; c.Weights["decoder.0.bias"][0] = 1e6 }, "decoder.0.bias"},
		"a weight missing":      {func(c *candidate, _ *Options) { delete(c.Weights, "encoder.0.bias") }, "encoder.0.bias"},
		"no such dtype":         {func(_ *candidate, o *Options) { o.DType = "int8" }, "float16"},
		"an id that is a path":  {func(c *candidate, _ *Options) { c.ID = "../x" }, "folder's name"},
		"a full disk": {func(_ *candidate, o *Options) {
			o.FS = durable.FS{Fault: func(step, path string) error {
				if step == "write" && filepath.Base(path) == "README.md" {
					return errors.New("disk full")
				}
				return nil
			}}
		}, "disk full"},
	}
	for name, test := range cases {
		c, o := small(t), Options{Out: t.TempDir()}
		c.Weights = c.Weights.Clone()
		test.change(&c, &o)
		_, err := exportAll(context.Background(), []candidate{c}, o)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.says)
		}
		if left := names(t, o.Out); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := exportAll(ctx, []candidate{small(t)}, Options{Out: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Models that an earlier moncae wrote stay readable, and the same network still
// gives the same graph. MONCAE_UPDATE=1 writes a new version's files.
func TestFormatsOfEarlierVersions(t *testing.T) {
	c := small(t)
	nets, err := onnxnet.Build(c.Arch, c.Weights, onnx.Float)
	if err != nil {
		t.Fatal(err)
	}
	const dir = "testdata/v1"
	for name, m := range map[string]*onnx.Model{"encoder": nets.Encoder, "decoder": nets.Decoder, "autoencoder": nets.Autoencoder} {
		if os.Getenv("MONCAE_UPDATE") == "1" {
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".onnx"), m.Bytes(), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if old := readModel(t, dir, name); old.Hash() != m.Hash() {
			t.Errorf("%s: the graph has changed: %s was %s", name, m.Hash(), old.Hash())
		}
	}
}

// spoil changes what the trainer says.
func spoil(t *testing.T, c *candidate, change func(*run.Forward)) {
	t.Helper()
	s, err := c.sample()
	if err != nil {
		t.Fatal(err)
	}
	s = run.Forward{Images: slices.Clone(s.Images), Latents: slices.Clone(s.Latents), Outputs: slices.Clone(s.Outputs)}
	change(&s)
	c.sample = func() (run.Forward, error) { return s, nil }
}

func TestCardSaysWhatIsKnown(t *testing.T) {
	c := small(t)
	c.Preprocess = json.RawMessage(`{"channels":1}`)
	c.Arch.Decoder[2] = arch.Layer{Kind: arch.Transpose, Filters: 3, Kernel: 5, To: &[2]int{7, 7}}
	card, err := c.card(onnx.Float, Result{ID: c.ID, Checks: []Check{{Model: "encoder", Runtime: "R", Skipped: "because"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1×7×7 → 2×4×4", "on squares", "run `abc`", "Place 2 of 5", "loc 1.505, loss 0.25", "| | this network | pca |", "| BCE, nats | 0.25 | 0.3 |", "| own | 1.5 | – |",
		"not compared, because", "adam", "{\"channels\":1}", "dropout 0.1 → 4×7×7", "transposed conv 5×5, stride 2 → 3×7×7",
	} {
		if !strings.Contains(string(card), want) {
			t.Errorf("the card does not say %q", want)
		}
	}
	if strings.Contains(string(card), "+Inf") {
		t.Error("the card holds an infinity")
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var ns []string
	for _, e := range entries {
		ns = append(ns, e.Name())
	}
	return ns
}

func readModel(t *testing.T, dir, name string) *onnx.Model {
	t.Helper()
	m, err := onnx.ReadFile(filepath.Join(dir, name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A head's logits are those of the trainer's graph, standardisation included,
// alone and behind an encoder.
func TestHeadAndPipelineAgree(t *testing.T) {
	needORT(t)
	c := small(t)
	in := c.Arch.Latent()
	conv := arch.Layer{Kind: arch.Conv, Filters: 3, Kernel: 3, Stride: 1}
	relu := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}
	dense := func(n int) arch.Layer { return arch.Layer{Kind: arch.Dense, Filters: n} }
	drop := arch.Layer{Kind: arch.Dropout, Rate: 0.3}
	nets, err := onnxnet.Build(c.Arch, c.Weights, onnx.Float)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.sample()
	if err != nil {
		t.Fatal(err)
	}
	for name, stack := range map[string]arch.Stack{
		"linear": {dense(5)},
		"mlp":    {dense(6), relu, drop, dense(5)},
		"conv":   {conv, {Kind: arch.BatchNorm}, relu, {Kind: arch.MaxPool}, drop, dense(6), relu, dense(5), drop},
		"pooled": {conv, {Kind: arch.Conv, Filters: 5, Kernel: 3, Stride: 2}, {Kind: arch.MaxPool}},
	} {
		r := rand.New(rand.NewPCG(7, 8))
		h := onnxnet.Head{In: in, Stack: stack, Weights: randomWeights(stack.Params("head", in), r), Metadata: map[string]string{"k": "v"}}
		for range in.Values() {
			h.Mean, h.Scale = append(h.Mean, float32(r.NormFloat64())), append(h.Scale, 0.5+r.Float32())
		}
		head, err := h.Model()
		if err != nil {
			t.Fatal(err)
		}
		want := headReference(t, h, s.Latents, 6)
		got, err := runORT(head, s.Latents, 6, 1, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compare(got, want, 6, 1e-4); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		whole, err := onnxnet.Pipeline(nets.Encoder, head)
		if err != nil {
			t.Fatal(err)
		}
		if got, err = runORT(whole, s.Images, 6, 1, ort.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := compare(got, want, 6, 1e-4); err != nil {
			t.Errorf("%s pipeline: %v", name, err)
		}
	}
	h := onnxnet.Head{In: in, Stack: arch.Stack{dense(2)}}
	h.Weights = randomWeights(h.Stack.Params("head", in), rand.New(rand.NewPCG(1, 1)))
	head, err := h.Model()
	if err != nil {
		t.Fatal(err)
	}
	for opset, fits := range map[int64]bool{10: false, 12: true, 17: true, 21: true, 26: false} {
		joined, err := onnxnet.Pipeline(nets.Encoder.WithOpset(opset), head)
		if (err == nil) != fits {
			t.Errorf("an encoder of opset %d: %v", opset, err)
		}
		if err == nil {
			if _, err := runORT(joined, s.Images, 6, 1, ort.Options{}); err != nil || joined.Opset() != opset {
				t.Errorf("opset %d: %v", joined.Opset(), err)
			}
		}
	}
	if _, err := onnxnet.Pipeline(nets.Decoder, nets.Decoder); fault.Of(err) != fault.Usage {
		t.Errorf("two decoders: %v", err)
	}
}
