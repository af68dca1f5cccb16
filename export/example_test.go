//go:build cgo

package export_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"moncae/export"
	"moncae/internal/dataset"
	"moncae/internal/engine/ref"
	"moncae/internal/run"
	"moncae/search"
)

// What a search found becomes ONNX, held against the trainer on validation images.
func ExampleExport() {
	if err := exportBest(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// encoder.onnx
	// decoder.onnx
	// autoencoder.onnx
	// all within the tolerance: true
}

func exportBest() (err error) {
	dir, err := os.MkdirTemp("", "moncae")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, path := context.Background(), filepath.Join(dir, "digits")
	if err := searchDigits(ctx, path); err != nil {
		return err
	}

	r, err := run.Open(path)
	if err != nil {
		return err
	}
	best, err := r.Select(run.SelectBestLoss)
	if err != nil {
		return err
	}
	set, err := r.Images(ctx, "", dataset.Options{}) // where the search found them
	if err != nil {
		return err
	}
	results, err := export.Export(ctx, r, best, set, ref.New(), export.Options{Out: filepath.Join(dir, "models")})
	if err != nil {
		return err
	}
	for _, f := range results[0].Files {
		fmt.Println(f.Name)
	}
	within := true
	for _, c := range results[0].Checks {
		within = within && c.Difference <= c.Tolerance
	}
	fmt.Println("all within the tolerance:", within)
	return nil
}

// searchDigits makes a run of two small networks.
func searchDigits(ctx context.Context, path string) error {
	set, err := dataset.Load(ctx, "mnist-mini", dataset.Options{Split: "train", ImageSize: &[2]int{8, 8}})
	if err != nil {
		return err
	}
	config, err := search.Preset("quick")
	if err != nil {
		return err
	}
	config.Population, config.Generations, config.Epochs, config.TrainLimit, config.Finetune.Epochs = 2, 1, 1, 64, 0
	config.Space.MaxBlocks, config.Space.MaxFilters = 2, 4
	config.Reference = []float64{1, 4}
	study, err := search.Create(path, config, set, search.Options{Engine: ref.New()})
	if err != nil {
		return err
	}
	_, err = study.Run(ctx)
	return errors.Join(err, study.Close())
}
