package dataset

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/dataset/idx"
)

// tarOf makes a tar of name, content pairs.
func tarOf(t *testing.T, pairs ...any) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		data := pairs[i+1].([]byte)
		if err := w.WriteHeader(&tar.Header{Name: pairs[i].(string), Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data)
	}
	_ = w.Close()
	return b.Bytes()
}

// TestWebDatasetShards reads a folder of tars.
func TestWebDatasetShards(t *testing.T) {
	content := map[string][]byte{}
	for shard := range 2 {
		content[fmt.Sprintf("train-%d.tar", shard)] = tarOf(t,
			"1.png", pngOf(t, 2, 2, uint8(10*shard+1), false), "1.cls", []byte("3\n"),
			"0.png", pngOf(t, 2, 2, uint8(10*shard), false), "0.cls", []byte("1"))
	}
	content["test-0.tar"] = tarOf(t, "a.png", pngOf(t, 2, 2, 99, false), "a.json", []byte(`{"label": 0}`))
	dir := folder(t, content)
	s := load(t, dir, Options{})
	if s.Rows() != 4 || s.Image(2)[0] != 10 || s.Labels[3] != 3 || s.Paths[1] != "train-0.tar/1.png" || len(s.Classes) != 4 {
		t.Errorf("%d rows, %v, %v, %v", s.Rows(), s.Labels, s.Paths, s.Classes)
	}
	if s := load(t, dir, Options{Split: "test"}); s.Rows() != 1 || s.Labels[0] != 0 {
		t.Errorf("test: %d rows, %v", s.Rows(), s.Labels)
	}
}

func TestParquetThroughLoad(t *testing.T) {
	s := load(t, "columnar/testdata/shards", Options{})
	if s.Rows() != 5 || s.Shape.String() != "1×2×3" || s.Classes[2] != "cat" || s.Paths[4] != "4.png" || s.Image(4)[0] != 40 {
		t.Errorf("%d rows of %v, %v, %v", s.Rows(), s.Shape, s.Classes, s.Paths)
	}
	if s := load(t, "columnar/testdata/null.parquet", Options{Split: "all", OnBadImage: "skip"}); s.Rows() != 2 || s.ID(1) != 2 || s.Skipped[0].ID != 1 {
		t.Errorf("%d rows, skipped %+v", s.Rows(), s.Skipped)
	}
	_, err := Load(context.Background(), "columnar/testdata/null.parquet", Options{Split: "all"})
	wantFault(t, "null", err, "null.parquet: row 1", "image is null")
}

func TestIDXByFile(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"my-images": {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4}, "my-labels": {0, 0, 8, 1, 0, 0, 0, 2, 1, 0},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := load(t, filepath.Join(dir, "my-images"), Options{Split: "all"})
	if s.Rows() != 2 || s.Labels[0] != 1 || s.Image(1)[1] != 4 {
		t.Errorf("%d rows, labels %v", s.Rows(), s.Labels)
	}
}

// TestNamedPlaces finds named sets in, and at, the folders they may lie in.
func TestNamedPlaces(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	images := []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4}
	for _, place := range []string{"mnist", "MNIST/raw", "."} {
		dir := folder(t, map[string][]byte{place + "/train-images-idx3-ubyte": images})
		if s := load(t, "mnist", Options{DataDir: dir, Split: "all"}); s.Rows() != 2 || s.Name != "mnist" {
			t.Errorf("%s: %d rows of %s", place, s.Rows(), s.Name)
		}
		t.Setenv("MONCAE_DATA", dir)
		if s := load(t, "mnist", Options{DataDir: t.TempDir(), Split: "all"}); s.Rows() != 2 {
			t.Errorf("%s by MONCAE_DATA: %d rows", place, s.Rows())
		}
		t.Setenv("MONCAE_DATA", "")
	}
	// Another set's folder is not taken for this one.
	dir := filepath.Join(folder(t, map[string][]byte{"fashion-mnist/train-images-idx3-ubyte": images}), "fashion-mnist")
	_, err := Load(context.Background(), "mnist", Options{DataDir: dir})
	wantFault(t, "fashion", err, "the data set mnist is not here")
	zip := zipOf(t, map[string][]byte{"train/airplane/1.png": pngOf(t, 2, 2, 1, true), "test/airplane/1.png": pngOf(t, 2, 2, 2, true)})
	if err := os.Rename(zip, filepath.Join(filepath.Dir(zip), "cifar10-jpeg.zip")); err != nil {
		t.Fatal(err)
	}
	if s := load(t, "cifar10", Options{DataDir: filepath.Dir(zip)}); s.Rows() != 1 || !strings.Contains(strings.Join(s.Info.Notes, ""), "JPEG copies") {
		t.Errorf("%d rows, notes %v", s.Rows(), s.Info.Notes)
	}
	// torchvision keeps CIFAR-10 in its Python version.
	root := t.TempDir()
	unzip(t, "testdata/formats.zip", root)
	if s := load(t, "cifar10", Options{DataDir: filepath.Join(root, "cifar-python")}); s.Rows() != 2 || s.Name != "cifar10" {
		t.Errorf("%d rows of %s", s.Rows(), s.Name)
	}
	if c, err := idx.Collect(nil); c != nil || err != nil {
		t.Error("no files make a collection")
	}
}
