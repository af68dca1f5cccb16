package search_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"moncae/internal/dataset"
	"moncae/internal/engine/ref"
	"moncae/search"
)

// A search of a second: four networks for a hundred digits, trained by the reference
// engine. Presets are larger.
func ExampleCreate() {
	if err := searchDigits(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// run: 4 trainings, finished: true
	// front: every member beats the reference in loss and loc: true
}

func searchDigits() (err error) {
	dir, err := os.MkdirTemp("", "moncae")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	ctx := context.Background()
	set, err := dataset.Load(ctx, "mnist-mini", dataset.Options{Split: "train", Limit: 100})
	if err != nil {
		return err
	}
	config, err := search.Preset("quick")
	if err != nil {
		return err
	}
	config.Population, config.Generations, config.Epochs, config.Finetune.Epochs = 2, 2, 1, 0
	config.Space.MaxBlocks, config.Space.MaxFilters = 2, 4
	config.Reference = []float64{1, 4} // nats a pixel, level of compression

	path := filepath.Join(dir, "digits")
	study, err := search.Create(path, config, set, search.Options{Engine: ref.New()})
	if err != nil {
		return err
	}
	front, err := study.Run(ctx)
	if err = errors.Join(err, study.Close()); err != nil {
		return err
	}

	r, err := search.Open(path)
	if err != nil {
		return err
	}
	fmt.Printf("run: %d trainings, finished: %v\n", len(r.Candidates), r.Finished)
	better := len(front.Members) > 0
	for _, m := range front.Members {
		better = better && m.BCE < config.Reference[0] && m.LOC < config.Reference[1]
	}
	fmt.Println("front: every member beats the reference in loss and loc:", better)
	return nil
}
