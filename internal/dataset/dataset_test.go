package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"testing"
)

// load reads a split or ends the test.
func load(t *testing.T, name string, o Options) *Set {
	t.Helper()
	s, err := Load(context.Background(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dataDir is the folder with the real data sets, or the test is skipped.
func dataDir(t *testing.T) string {
	dir := os.Getenv("MONCAE_DATA")
	if dir == "" {
		t.Skip("MONCAE_DATA names no folder with mnist/ and cifar10-jpeg.zip")
	}
	return dir
}

// TestMini holds what scripts/mnist_mini.py chose: counts in proportion to
// MNIST's, and the hash of the pixels as the script wrote them.
func TestMini(t *testing.T) {
	train, test := load(t, Default, Options{}), load(t, Default, Options{Split: "test"})
	if train.Rows() != 5000 || test.Rows() != 1000 || train.Shape.String() != "1×28×28" {
		t.Fatalf("%d and %d images of %v", train.Rows(), test.Rows(), train.Shape)
	}
	want := []int{494, 562, 496, 511, 487, 452, 493, 522, 487, 496} // 5,000 × MNIST's counts / 60,000
	for c, n := range StatsOf(train, nil).PerClass {
		if n != want[c] {
			t.Errorf("%d images of digit %d, want %d", n, c, want[c])
		}
	}
	sum := sha256.Sum256(train.Images)
	if got := hex.EncodeToString(sum[:8]); got != miniHash {
		t.Errorf("the pixels' hash is %s, want %s", got, miniHash)
	}
	if train.Info.Fingerprint != Fingerprint(train) {
		t.Error("the stream's fingerprint is not the set's")
	}
}

// TestFloors compares with the entropy floor of MNIST's test images, 0.0581.
func TestFloors(t *testing.T) {
	s := load(t, "mnist", Options{DataDir: dataDir(t), Split: "test"})
	if f := StatsOf(s, nil).Floor; math.Abs(f-0.0581) > 5e-5 {
		t.Errorf("floor %v", f)
	}
}

// miniHash is the beginning of the SHA-256 of mnist-mini's training pixels, by Python.
const miniHash = "d285c653f6809b52"
