package graph

import (
	"math"
	"strings"
	"testing"
)

func TestLossesAreRead(t *testing.T) {
	for loss, want := range map[Loss]Blend{
		BCE: {BCE: 1}, MSE: {MSE: 1}, SSIM: {SSIM: 1},
		"ssim+mse": {MSE: 1, SSIM: 1}, "0.8*ssim+0.2*bce": {BCE: 0.2, SSIM: 0.8}, "1e-1*mse + bce + 3 * ssim": {BCE: 1, MSE: 0.1, SSIM: 3},
	} {
		if got, err := loss.Blend(); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", loss, got, err, want)
		}
	}
	for loss, want := range map[Loss]string{
		"": "is not bce, mse or ssim", "l1": `"l1" is not`, CrossEntropy: "is not bce", "ssim+": `"" is not`, "ssim-mse": "is not bce",
		"2*": "is not bce", "*ssim": `weight ""`, "0*ssim": `weight "0"`, "-1*ssim": `weight "-1"`, "NaN*ssim": `weight "NaN"`, "Inf*mse": `weight "Inf"`, "x*mse": `weight "x"`,
		"bce+0.5*bce": "bce stands there twice",
	} {
		if _, err := loss.Blend(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", loss, err, want)
		}
	}
}

// What is not in a loss has no part in it, whatever it is.
func TestBlendsOfMeasures(t *testing.T) {
	nan := math.NaN()
	for b, want := range map[Blend]float64{{BCE: 1}: 0.5, {MSE: 2}: 0.2, {SSIM: 1}: 0.25, {BCE: 0.5, MSE: 2, SSIM: 4}: 1.45} {
		in := [3]float64{0.5, 0.1, 0.75}
		for i, w := range []float64{b.BCE, b.MSE, b.SSIM} {
			if w == 0 {
				in[i] = nan
			}
		}
		if got := b.Of(in[0], in[1], in[2]); math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v: %v, want %v", b, got, want)
		}
	}
}
