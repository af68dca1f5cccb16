package metric

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"moncae/internal/arch"
)

func TestGaussianSSIMIsThatOfScikitImage(t *testing.T) {
	b, err := os.ReadFile("testdata/gaussian.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct {
			Shape arch.Shape
			A, B  []float32
			SSIM  float64
			Slope [][2]float64
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range f.Cases {
		slope := make([]float64, c.Shape.Values())
		if got := GaussianSSIM(c.A, c.B, c.Shape, slope); math.Abs(got-c.SSIM) > 1e-9 {
			t.Errorf("%v: %v, scikit-image has %v", c.Shape, got, c.SSIM)
		}
		for _, s := range c.Slope { // differences of scikit-image's values, good to 1e-6
			if got := slope[int(s[0])]; math.Abs(got-s[1]) > 1e-6 {
				t.Errorf("%v, value %v: slope %v, scikit-image's difference is %v", c.Shape, s[0], got, s[1])
			}
		}
	}
}

// scikit-image takes no image smaller than the window: here it is the definition, written
// out window by window.
func TestGaussianSSIMOfSmallImages(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, s := range []arch.Shape{{C: 1, H: 1, W: 1}, {C: 2, H: 2, W: 9}, {C: 1, H: 4, W: 7}, {C: 3, H: 9, W: 8}} {
		a, b := make([]float32, s.Values()), make([]float32, s.Values())
		for i := range a {
			a[i], b[i] = r.Float32(), r.Float32()
		}
		side := min(11, (s.H-1)|1, (s.W-1)|1)
		total, windows := 0.0, 0
		for c := range s.C {
			for top := 0; top+side <= s.H; top++ {
				for left := 0; left+side <= s.W; left++ {
					total += byDefinition(a[c*s.H*s.W:], b[c*s.H*s.W:], s.W, top, left, side)
					windows++
				}
			}
		}
		if got, want := GaussianSSIM(a, b, s, nil), total/float64(windows); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %v, want %v", s, got, want)
		}
	}
}

// byDefinition is the similarity in one window, about its means.
func byDefinition(a, b []float32, width, top, left, side int) float64 {
	var weights, ma, mb, va, vb, cov float64
	each := func(f func(w, x, y float64)) {
		for i := range side {
			for j := range side {
				di, dj := float64(i-side/2), float64(j-side/2)
				at := (top+i)*width + left + j
				f(math.Exp(-(di*di+dj*dj)/(2*1.5*1.5)), float64(a[at]), float64(b[at]))
			}
		}
	}
	each(func(w, x, y float64) { weights, ma, mb = weights+w, ma+w*x, mb+w*y })
	ma, mb = ma/weights, mb/weights
	each(func(w, x, y float64) {
		va, vb, cov = va+w*(x-ma)*(x-ma)/weights, vb+w*(y-mb)*(y-mb)/weights, cov+w*(x-ma)*(y-mb)/weights
	})
	return (2*ma*mb + 1e-4) * (2*cov + 9e-4) / ((ma*ma + mb*mb + 1e-4) * (va + vb + 9e-4))
}
