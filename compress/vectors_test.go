package compress

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/imagefile"
	"moncae/internal/latent"
)

// vectors is the folder that tests/python/test_latents.py asks for.
func vectors(t *testing.T) string {
	t.Helper()
	out := os.Getenv("MONCAE_LATENT_VECTORS")
	if out == "" {
		t.Skip("MONCAE_LATENT_VECTORS is not set: tests/python/test_latents.py sets it")
	}
	needORT(t)
	return out
}

// TestWriteVectors writes latents in every way there is, for Python to read.
func TestWriteVectors(t *testing.T) {
	out := vectors(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	copyFiles(t, models, filepath.Join(out, "digits"), "encoder.onnx", "decoder.onnx")
	models = filepath.Join(out, "digits")
	reports := map[string]Report{}
	run := func(name string, o Options) {
		o.Out = filepath.Join(out, name)
		reports[name] = mustRun(t, o)
	}
	for _, d := range []latent.DType{latent.Float32, latent.Float16, latent.Int8} {
		for _, way := range []string{
			"file-tensor-none", "file-tensor-zstd", "file-tensor-lz4", "file-list-none", "stream-tensor-none",
			"stream-list-zstd", "parquet-list-none", "parquet-list-zstd",
		} {
			w := strings.Split(way, "-")
			o := digits(models, "")
			o.WithError = true
			o.Store = latent.Options{DType: d, Format: latent.Format(w[0]), Layout: latent.Layout(w[1]), Compression: latent.Compression(w[2])}
			run(fmt.Sprintf("digits/%s-%s%s", d, way, o.Store.Format.Extension()), o)
		}
	}
	set, err := dataset.Load(context.Background(), dataset.Default, digits(models, "").Dataset)
	if err != nil {
		t.Fatal(err)
	}
	images := append(imagefile.NPYHeader("|u1", 300, 1, 28, 28), set.Images...)
	if err := os.WriteFile(filepath.Join(models, "images.npy"), images, 0o600); err != nil {
		t.Fatal(err)
	}
	colour := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8})
	copyFiles(t, colour, filepath.Join(out, "photos"), "encoder.onnx", "decoder.onnx")
	data := photos(t, 50)
	if err := os.CopyFS(filepath.Join(out, "photos", "images"), os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Encoder: filepath.Join(out, "photos", "encoder.onnx"), Data: filepath.Join(out, "photos", "images"),
		Dataset: dataset.Options{Split: "all"}, Batch: 16, Device: "cpu",
	}
	run("photos/latents.arrow", o)
	o.ShardRows = 20
	run("photos/shards", o)
	for _, way := range []string{"photos/back.npy", "photos/back", "photos/back.arrow"} {
		d := DecompressOptions{
			Decoder: filepath.Join(out, "photos", "decoder.onnx"), In: filepath.Join(out, "photos", "latents.arrow"),
			Out: filepath.Join(out, way), Batch: 16, Device: "cpu",
		}
		if _, err := Decompress(context.Background(), d, nil); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(reports)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "reports.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReadVectors reads what pyarrow wrote: 7 rows, whose latents count from 0
// in eighths, in every way that the folder names.
func TestReadVectors(t *testing.T) {
	out := vectors(t)
	files, err := filepath.Glob(filepath.Join(out, "pyarrow", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		m, rows, err := latent.ReadAll(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.Shape != (arch.Shape{C: 2, H: 3, W: 2}) || rows.Len() != 7 || rows.Labels[3] != 3 || rows.IDs[6] != 6 ||
			m.Paths && rows.Paths[5] != "p/5.png" {
			t.Errorf("%s: %+v, %d rows, labels %v", path, m, rows.Len(), rows.Labels)
		}
		for i, v := range rows.Latents {
			if want := float32(i) / 8; v != want {
				t.Fatalf("%s: value %d is %v, want %v", path, i, v, want)
			}
		}
	}
	t.Logf("%d files", len(files))
}
