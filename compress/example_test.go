//go:build cgo

package compress_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"moncae/compress"
	"moncae/internal/dataset"
	"moncae/internal/latent"
)

// Two hundred digits become float16 latents. The encoder takes images of 7×7.
func ExampleRun() {
	if err := compressDigits(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 200 rows of 2×4×4 float16, 64 bytes each
	// the file has 200 rows with 10 classes
}

func compressDigits() (err error) {
	dir, err := os.MkdirTemp("", "moncae")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	out := filepath.Join(dir, "test.arrow")
	report, err := compress.Run(context.Background(), compress.Options{
		Encoder: "../export/testdata/v1/encoder.onnx",
		Data:    "mnist-mini", Dataset: dataset.Options{Split: "test", Limit: 200, ImageSize: &[2]int{7, 7}},
		Out: out, Store: latent.Options{DType: latent.Float16}, Device: "cpu",
	}, nil)
	if err != nil {
		return err
	}
	fmt.Printf("%d rows of %v %s, %d bytes each\n", report.Rows, report.Latent, report.DType, 2*report.Latent.Values())

	meta, rows, err := latent.ReadAll(out)
	if err != nil {
		return err
	}
	fmt.Printf("the file has %d rows with %d classes\n", rows.Len(), len(meta.Classes))
	return nil
}
