package classify

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sbinet/npyio"

	"moncae/internal/dataset"
	"moncae/internal/run"
)

// TestWriteVectors writes what tests/python/test_classify.py reads: latents of
// the built-in set, linear heads of three seeds with pipelines and baselines, the
// test images, and a comparison of two encoders.
func TestWriteVectors(t *testing.T) {
	dir := os.Getenv("MONCAE_CLASSIFY_VECTORS")
	if dir == "" {
		t.Skip("MONCAE_CLASSIFY_VECTORS names no folder")
	}
	b := benchOf(t, dir, dataset.Options{})
	for seed := range uint64(3) {
		o := b.options("linear" + strconv.Itoa(int(seed)))
		o.Encoder, o.Data, o.Seed, o.Baselines = b.encoder, dataset.Default, seed, seed == 0
		if _, err := Run(context.Background(), o, nil); err != nil {
			t.Fatal(err)
		}
	}
	test, err := dataset.Load(context.Background(), dataset.Default, dataset.Options{Split: "test"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "images.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if err := npyio.Write(f, test.Images); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = comparison{
		MemberOptions: MemberOptions{
			Candidates: []string{"front"}, Data: dataset.Default, Out: filepath.Join(dir, "members"),
			Engine: b.options("").Engine, Runtime: b.options("").Runtime,
		},
		id: "r", members: []run.Trained{b.trained("g0-0", 0)}, openTest: func() (*int, error) { return nil, nil },
	}.run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
}
