package dataset

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkFolder streams CIFAR-10's JPEG files, from the zip or, if
// MONCAE_FOLDER names them, from a folder.
func BenchmarkFolder(b *testing.B) {
	path := os.Getenv("MONCAE_FOLDER")
	if path == "" {
		path = filepath.Join(os.Getenv("MONCAE_DATA"), "cifar10-jpeg.zip")
	}
	if _, err := os.Stat(path); err != nil {
		b.Skip("MONCAE_DATA names no folder with cifar10-jpeg.zip")
	}
	p := Preprocess{ImageSize: [2]int{32, 32}, Resize: "none", Channels: 3}
	images := 0
	for b.Loop() {
		src, err := Open(context.Background(), path, p.Apply(Options{Split: "test"}))
		if err != nil {
			b.Fatal(err)
		}
		var batch Batch
		for {
			err := src.Next(&batch, 256)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			images += len(batch.Records)
		}
		_ = src.Close()
	}
	b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
}
