package metric

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"moncae/internal/arch"
)

func TestSSIMIsThatOfScikitImage(t *testing.T) {
	b, err := os.ReadFile("testdata/ssim.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct {
			Shape arch.Shape
			A, B  []float32
			SSIM  float64
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range f.Cases {
		// Both compute in float64; sliding sums round a little differently.
		if got := SSIM(c.A, c.B, c.Shape); math.Abs(got-c.SSIM) > 1e-9 {
			t.Errorf("%v: %v, scikit-image has %v", c.Shape, got, c.SSIM)
		}
	}
}

func TestSSIMBounds(t *testing.T) {
	s := arch.Shape{C: 1, H: 2, W: 1}
	if got := SSIM([]float32{0.5, 1}, []float32{0.5, 1}, s); got != 1 {
		t.Errorf("an image with itself: %v", got)
	}
	s = arch.Shape{C: 1, H: 8, W: 8}
	black, white := make([]float32, 64), make([]float32, 64)
	for i := range white {
		white[i] = 1
	}
	// Constant images: (2·0·1 + C1)·C2 / ((1 + C1)·C2).
	if got, want := SSIM(black, white, s), ssimC1/(1+ssimC1); math.Abs(got-want) > 1e-12 {
		t.Errorf("black with white: %v, want %v", got, want)
	}
}

func TestPSNR(t *testing.T) {
	if got := PSNR(0.01); math.Abs(got-20) > 1e-12 {
		t.Errorf("PSNR of 0.01 is %v", got)
	}
	for _, tiny := range []float64{0, 1e-30, 1e-12} {
		if got := PSNR(tiny); got != MaxPSNR {
			t.Errorf("PSNR of %v is %v", tiny, got)
		}
	}
	if !math.IsNaN(PSNR(math.NaN())) {
		t.Error("PSNR of NaN is a number")
	}
}
