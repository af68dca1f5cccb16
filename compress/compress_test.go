package compress

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/metakey"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
)

func needORT(t testing.TB) {
	t.Helper()
	if _, _, err := ort.Load(""); err != nil {
		t.Skip(err)
	}
}

// autoencoder writes a small network with random weights: encoder.onnx and
// decoder.onnx, each naming the other, for images of the shape.
func autoencoder(t testing.TB, s arch.Shape) (dir string) {
	t.Helper()
	conv := func(f int) arch.Layer { return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: 3, Stride: 1} }
	a := arch.Arch{
		Input:   s,
		Encoder: arch.Stack{conv(4), {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.MaxPool}, conv(2)},
		Decoder: arch.Stack{conv(4), {Kind: arch.Upsample, To: &[2]int{s.H, s.W}}, conv(s.C)},
	}
	r := rand.New(rand.NewPCG(1, 2))
	w := arch.Weights{}
	for _, p := range a.Params() {
		w[p.Name] = make([]float32, p.Size())
		for i := range w[p.Name] {
			w[p.Name][i] = float32(r.NormFloat64()) / 3
		}
	}
	n, err := onnxnet.Build(a, w, onnx.Float)
	if err != nil {
		t.Fatal(err)
	}
	pre := fmt.Sprintf(`{"image_size":[%d,%d],"resize":"none","channels":%d}`, s.H, s.W, s.C)
	dir = t.TempDir()
	n.Encoder.SetMetadata(map[string]string{metakey.Preprocess: pre, metakey.Pair: n.Decoder.Hash(), metakey.Run: "run1"})
	n.Decoder.SetMetadata(map[string]string{metakey.Pair: n.Encoder.Hash()})
	for name, m := range map[string]*onnx.Model{"encoder": n.Encoder, "decoder": n.Decoder} {
		if err := os.WriteFile(filepath.Join(dir, name+".onnx"), m.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// digits are options for the first 300 digits of the built-in set's test split.
func digits(models, out string) Options {
	return Options{
		Encoder: filepath.Join(models, "encoder.onnx"), Out: out, Batch: 64, Device: "cpu",
		Data: dataset.Default, Dataset: dataset.Options{Split: "test", Limit: 300},
	}
}

func mustRun(t *testing.T, o Options) Report {
	t.Helper()
	rep, err := Run(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func mustRead(t *testing.T, path string) (latent.Meta, latent.Rows) {
	t.Helper()
	m, r, err := latent.ReadAll(path)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

func fileBytes(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLatentsAreTheSessionsOwn(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	out := filepath.Join(t.TempDir(), "x.arrow")
	o := digits(models, out)
	rep := mustRun(t, o)
	if rep.Rows != 300 || rep.Latent != (arch.Shape{C: 2, H: 14, W: 14}) || rep.ValuesRatio != 2 || rep.BytesRaw != 300*784 || rep.Batch != 64 {
		t.Errorf("report %+v", rep)
	}
	if n := int64(len(fileBytes(t, out))); rep.BytesOut != n || rep.BitsPerPixel != float64(8*n)/300/784 {
		t.Errorf("bytes out %d of %d, bits %v", rep.BytesOut, n, rep.BitsPerPixel)
	}
	meta, rows := mustRead(t, out)
	set, err := dataset.Load(context.Background(), o.Data, o.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	want := bareLatents(t, models, set, 64)
	if !reflect.DeepEqual(rows.Latents, want) {
		t.Error("latents are not the session's")
	}
	for i, id := range rows.IDs {
		if id != set.ID(i) || rows.Labels[i] != int64(set.Labels[i]) {
			t.Fatalf("row %d: id %d, label %d; want %d, %d", i, id, rows.Labels[i], set.ID(i), set.Labels[i])
		}
	}
	if len(meta.Classes) != 10 || meta.Paths || meta.Splits || meta.Run != "run1" || !strings.Contains(meta.Dataset, `"split":"test"`) ||
		meta.Decoder == "" || meta.Encoder == meta.Decoder {
		t.Errorf("meta %+v", meta)
	}
	if rep.Fingerprint != set.Info.Fingerprint {
		t.Errorf("fingerprint %s, want %s", rep.Fingerprint, set.Info.Fingerprint)
	}
}

// bareLatents runs the encoder over the set, batch by batch.
func bareLatents(t testing.TB, models string, set *dataset.Set, batch int) []float32 {
	t.Helper()
	m, err := onnx.ReadFile(filepath.Join(models, "encoder.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ort.OpenModel(m, ort.Options{Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []float32
	values := set.Shape.Values()
	for at := 0; at < set.Rows(); at += batch {
		n := min(batch, set.Rows()-at)
		x, z := make([]float32, n*values), make([]float32, n*2*14*14)
		for i, v := range set.Images[at*values : (at+n)*values] {
			x[i] = float32(v) / float32(255)
		}
		if err := s.Run([]ort.Tensor{ort.Floats(x, int64(n), 1, 28, 28)}, []ort.Tensor{ort.Floats(z, int64(n), 2, 14, 14)}); err != nil {
			t.Fatal(err)
		}
		all = append(all, z...)
	}
	return all
}

func TestBytesDontDependOnWorkers(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	for _, d := range []latent.DType{latent.Float32, latent.Int8} {
		var first []byte
		for _, workers := range []int{1, 2, 5} {
			out := filepath.Join(t.TempDir(), "x.arrow")
			o := digits(models, out)
			o.Workers, o.WithError, o.Store.DType = workers, true, d
			mustRun(t, o)
			b := fileBytes(t, out)
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Errorf("%s: the file of %d workers differs", d, workers)
			}
		}
	}
}

func TestQualityIsOfTheStoredValues(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	for _, d := range []latent.DType{latent.Float32, latent.Float16, latent.Int8} {
		dir := t.TempDir()
		o := digits(models, filepath.Join(dir, "x.arrow"))
		o.Store.DType, o.WithError = d, true
		rep := mustRun(t, o)
		_, rows := mustRead(t, o.Out)
		npy := filepath.Join(dir, "x.npy")
		if _, err := Decompress(context.Background(), DecompressOptions{Decoder: filepath.Join(models, "decoder.onnx"), In: o.Out, Out: npy, Float: true, Device: "cpu"}, nil); err != nil {
			t.Fatal(err)
		}
		images := npyFloats(t, npy, []int{300, 1, 28, 28})
		set, err := dataset.Load(context.Background(), o.Data, o.Dataset)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for i := range 300 {
			sum := 0.0
			for k, v := range set.Image(i) {
				d := float64(float32(v)/255) - float64(images[i*784+k])
				sum += d * d
			}
			if got, want := float64(rows.Errors[i]), sum/784; math.Abs(got-want) > 1e-6*want {
				t.Fatalf("%s: row %d has the error %v, want %v", d, i, got, want)
			}
			total += sum / 784 / 300
		}
		if rep.SampleRows != 300 || rep.Quality == nil || math.Abs(rep.Quality.MSE-total) > 1e-9 ||
			math.Abs(rep.Quality.PSNR+10*math.Log10(total)) > 1e-6 || rep.BytesPNG < 300*60 {
			t.Errorf("%s: quality %+v of %d rows, PNG %d; want mse %v", d, rep.Quality, rep.SampleRows, rep.BytesPNG, total)
		}
	}
}

// photos writes a folder of n colour images of 8×8 in two classes.
func photos(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		m := image.NewNRGBA(image.Rect(0, 0, 8, 8))
		for k := range 64 {
			m.SetNRGBA(k%8, k/8, color.NRGBA{uint8(r.Uint32()), uint8(i), uint8(k), 255})
		}
		sub := filepath.Join(dir, []string{"cat", "dog"}[i%2])
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(sub, fmt.Sprintf("%03d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInterruptedShardsResumeToTheSameBytes(t *testing.T) {
	needORT(t)
	models, data := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8}), photos(t, 50)
	for _, d := range []latent.DType{latent.Float32, latent.Int8} {
		o := Options{
			Encoder: filepath.Join(models, "encoder.onnx"), Data: data, Dataset: dataset.Options{Split: "all"},
			Batch: 8, ShardRows: 12, Device: "cpu", Workers: 2,
		}
		o.Store.DType, o.WithError = d, true
		whole := filepath.Join(t.TempDir(), "whole")
		o.Out = whole
		if rep := mustRun(t, o); rep.Shards != 5 || rep.Rows != 50 {
			t.Fatalf("%+v", rep)
		}
		broken := filepath.Join(t.TempDir(), "broken")
		o.Out = broken
		copyFiles(t, whole, broken, "part-00000.arrow", "part-00001.arrow")
		cutManifest(t, whole, broken, 2)
		if _, err := Run(context.Background(), o, nil); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--resume") {
			t.Errorf("a half folder is overwritten: %v", err)
		}
		o.Resume = true
		rep := mustRun(t, o)
		if rep.Rows != 50 || rep.Resumed != 24 || rep.Shards != 5 {
			t.Errorf("%+v", rep)
		}
		for i := range 5 {
			name := fmt.Sprintf("part-%05d.arrow", i)
			if !bytes.Equal(fileBytes(t, filepath.Join(whole, name)), fileBytes(t, filepath.Join(broken, name))) {
				t.Errorf("%s: %s differs", d, name)
			}
		}
		if rep := mustRun(t, o); rep.Rows != 50 || rep.Resumed != 50 {
			t.Errorf("a whole folder: %+v", rep)
		}
		o.Batch = 16
		if _, err := Run(context.Background(), o, nil); err == nil || !strings.Contains(err.Error(), `--batch "8", not "16"`) {
			t.Errorf("another batch resumes: %v", err)
		}
		_, rows := mustRead(t, broken)
		if rows.Paths[25] != "dog/001.png" || rows.Labels[25] != 1 || rows.IDs[49] != 49 {
			t.Errorf("row 25: %s, %d", rows.Paths[25], rows.Labels[25])
		}
	}
}

// The number of processors is the program's own: a package that is called among
// others' work leaves it.
func TestTheProcessIsLeftAsItIs(t *testing.T) {
	needORT(t)
	models, dir := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28}), t.TempDir()
	before, seen := runtime.GOMAXPROCS(0), 0
	look := func(Progress) {
		if seen++; runtime.GOMAXPROCS(0) != before {
			t.Errorf("Go has %d processors while it compresses, had %d", runtime.GOMAXPROCS(0), before)
		}
	}
	o := digits(models, filepath.Join(dir, "x.arrow"))
	if _, err := Run(t.Context(), o, look); err != nil {
		t.Fatal(err)
	}
	back := DecompressOptions{Decoder: filepath.Join(models, "decoder.onnx"), In: o.Out, Out: filepath.Join(dir, "x.npy")}
	if _, err := Decompress(t.Context(), back, look); err != nil || seen == 0 {
		t.Errorf("seen %d times: %v", seen, err)
	}
}

func TestCancelledLeavesNothing(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	dir := t.TempDir()
	for _, d := range []latent.DType{latent.Float32, latent.Int8} {
		ctx, cancel := context.WithCancel(context.Background())
		o := digits(models, filepath.Join(dir, "x.arrow"))
		o.Dataset.Limit = 0
		o.Store.DType = d
		cancel()
		if _, err := Run(ctx, o, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	}
}

func TestBrokenImageInTheMiddle(t *testing.T) {
	needORT(t)
	models, data := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8}), photos(t, 40)
	bad := filepath.Join(data, "cat", "020.png")
	if err := os.WriteFile(bad, fileBytes(t, bad)[:70], 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Encoder: filepath.Join(models, "encoder.onnx"), Data: data, Dataset: dataset.Options{Split: "all"}, Out: filepath.Join(dir, "x.arrow"), Batch: 8, Device: "cpu"}
	_, err := Run(context.Background(), o, nil)
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "020.png") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	o.Dataset.OnBadImage = "skip"
	rep := mustRun(t, o)
	_, rows := mustRead(t, o.Out)
	if rep.Rows != 39 || len(rep.Skipped) != 1 || rows.IDs[10] != 11 {
		t.Errorf("%d rows, skipped %v, id %d", rep.Rows, rep.Skipped, rows.IDs[10])
	}
}

func TestRefusals(t *testing.T) {
	needORT(t)
	models, grey := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8}), autoencoder(t, arch.Shape{C: 1, H: 8, W: 8})
	encoder := filepath.Join(models, "encoder.onnx")
	data := photos(t, 4)
	dir := t.TempDir()
	good := Options{Encoder: encoder, Data: data, Dataset: dataset.Options{Split: "all"}, Out: filepath.Join(dir, "x.arrow"), Device: "cpu"}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no encoder":      {func(o *Options) { o.Encoder = filepath.Join(dir, "none.onnx") }, "none.onnx"},
		"other size":      {func(o *Options) { o.Dataset.ImageSize = &[2]int{9, 9} }, "--image-size 9x9"},
		"other channels":  {func(o *Options) { o.Dataset.Channels = 1 }, "--channels 1"},
		"images too big":  {func(o *Options) { o.Data = dataset.Default; o.Dataset.Split = "test" }, "--resize fit"},
		"out is a folder": {func(o *Options) { o.Out = dir }, "is a folder"},
		"no folder":       {func(o *Options) { o.Out = filepath.Join(dir, "no", "x.arrow") }, "there is no folder"},
		"foreign decoder": {func(o *Options) { o.Decoder = filepath.Join(grey, "decoder.onnx") }, "images of"},
		"resume alone":    {func(o *Options) { o.Resume = true }, "--shard-rows"},
		"no decoder":      {func(o *Options) { o.Decoder, o.WithError = "none", true }, "--with-error"},
		"scale":           {func(o *Options) { o.Foreign.Scale = "x" }, "--scale"},
		"a decoder":       {func(o *Options) { o.Encoder = filepath.Join(models, "decoder.onnx") }, "channels"},
	} {
		o := good
		c.change(&o)
		_, err := Run(context.Background(), o, nil)
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// TestDamagedModels: a model of ours that opens and doesn't run, or says nonsense, is damaged.
func TestDamagedModels(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8})
	dir, data := t.TempDir(), photos(t, 4)
	for _, name := range []string{"encoder.onnx", "decoder.onnx"} {
		b, err := os.ReadFile(filepath.Join(models, name))
		if err != nil {
			t.Fatal(err)
		}
		groups, resize := bytes.ReplaceAll(b, []byte("group\x18\x01"), []byte("group\x18\x67")), bytes.ReplaceAll(b, []byte(`"resize":"none"`), []byte(`"resize":"nine"`))
		for what, changed := range map[string][]byte{"a convolution's groups": groups, "the metadata": resize} {
			if bytes.Equal(b, changed) {
				if what == "the metadata" && name == "decoder.onnx" {
					continue // it has none of its own
				}
				t.Fatalf("%s has no such bytes for %s", name, what)
			}
			at := filepath.Join(dir, name)
			if err := os.WriteFile(at, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			o := Options{Encoder: filepath.Join(models, "encoder.onnx"), Data: data, Dataset: dataset.Options{Split: "all"}, Out: filepath.Join(dir, "x.arrow"), Device: "cpu"}
			if name == "encoder.onnx" {
				o.Encoder = at
			} else {
				o.Decoder, o.WithError = at, true
			}
			if _, err := Run(context.Background(), o, nil); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "Non-zero status") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

func TestSampling(t *testing.T) {
	count := func(s sampling, n int64) (picked int) {
		for i := range n {
			if s.picks(i) {
				picked++
			}
		}
		return picked
	}
	for _, n := range []int64{1, 255, 256, 257, 1000, 100_000} {
		if got := count(sampling{most: 256, rows: n}, n); int64(got) != n && (got < 128 || got > 256) {
			t.Errorf("%d of %d rows", got, n)
		}
		if got := count(sampling{most: 256, rows: -1}, n); got > 256*12 || n <= 256 && int64(got) != n {
			t.Errorf("%d of %d rows, unknown before", got, n)
		}
	}
	if got := (sampling{most: 2, rows: 4}).runs(1, 4); !reflect.DeepEqual(got, [][2]int{{1, 2}, {3, 4}}) {
		t.Errorf("runs %v", got)
	}
	if got := (sampling{}).runs(0, 9); got != nil {
		t.Errorf("runs %v", got)
	}
}

func copyFiles(t *testing.T, from, to string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(to, name), fileBytes(t, filepath.Join(from, name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// cutManifest leaves in to what a run that was killed after n shards leaves.
func cutManifest(t *testing.T, from, to string, n int) {
	t.Helper()
	var m latent.Manifest
	if err := json.Unmarshal(fileBytes(t, filepath.Join(from, latent.ManifestName)), &m); err != nil {
		t.Fatal(err)
	}
	m.Shards, m.Rows = m.Shards[:n], 0
	for _, s := range m.Shards {
		m.Rows += s.Rows
	}
	if err := os.WriteFile(filepath.Join(to, "_partial.json"), []byte(compact(m)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestABatchHasNoMoreImagesThanThereAre(t *testing.T) {
	n, image := &net{}, arch.Shape{C: 3, H: 64, W: 64}
	if got, err := n.bounded(1<<60, 400, image); err != nil || got != 400 {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := n.bounded(0, 400, image); err != nil || got != 0 {
		t.Errorf("what is not asked for: %d, %v", got, err)
	}
	for _, images := range []int64{-1, 1 << 50} {
		if _, err := n.bounded(1<<60, images, image); fault.Of(err) != fault.Usage {
			t.Errorf("of %d images: %v", images, err)
		}
	}
}
