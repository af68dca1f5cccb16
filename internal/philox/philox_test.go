package philox

import (
	"math"
	"testing"
)

// The known answers are those of Random123 (kat_vectors, philox4x32 10).
func TestKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Block(c.counter, c.key); got != c.want {
			t.Errorf("Block(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestMaskIsTheDocumentedOne(t *testing.T) {
	m := Mask{Seed: 0x0123456789abcdef, Layer: 7, Step: 1<<32 + 5, Rate: 0.3}
	x, y := make([]float32, 43), make([]float32, 43)
	for i := range x {
		x[i] = float32(i + 1)
	}
	m.Apply(y, x)
	for i := range x {
		word := Block([4]uint32{uint32(i / 4), 7, 5, 1}, [2]uint32{0x89abcdef, 0x01234567})[i%4]
		want := float32(0)
		if float64(word>>8)/(1<<24) >= float64(float32(0.3)) {
			want = x[i] * float32(1/0.7)
		}
		if y[i] != want {
			t.Errorf("value %d is %v, want %v", i, y[i], want)
		}
	}
}

// The share kept of n values has standard deviation √(rate·(1−rate)/n); five of
// them are allowed.
func TestShareKept(t *testing.T) {
	const n = 200_000
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	for _, rate := range []float64{0, 0.1, 0.5, 0.9} {
		Mask{Seed: 1, Rate: rate}.Apply(y, x)
		kept := 0
		for _, v := range y {
			if v != 0 {
				kept++
			}
		}
		if d := math.Abs(float64(kept)/n - (1 - rate)); d > 5*math.Sqrt(rate*(1-rate)/n) {
			t.Errorf("rate %v: %d of %d are kept", rate, kept, n)
		}
	}
}

func TestNoiseIsTheDocumentedOne(t *testing.T) {
	n := Noise{Seed: 0x0123456789abcdef, Layer: 7, Step: 1<<32 + 5, Sigma: 0.3}
	x, y := make([]float32, 43), make([]float32, 43)
	for i := range x {
		x[i] = float32(i) / 42
	}
	n.Apply(y, x)
	for i := range x {
		words := Block([4]uint32{uint32(i / 4), 7, 5, 1}, [2]uint32{0x89abcdef, 0x01234567})
		a, b := words[i%4/2*2], words[i%4/2*2+1]
		r, turn := math.Sqrt(-2*math.Log(float64(a>>8+1)/(1<<24))), 2*math.Pi*float64(b>>8)/(1<<24)
		wave := math.Cos(turn)
		if i%2 == 1 {
			wave = math.Sin(turn)
		}
		if want := math.Min(math.Max(float64(x[i])+0.3*r*wave, 0), 1); math.Abs(float64(y[i])-want) > 1e-7 {
			t.Errorf("value %d is %v, want %v", i, y[i], want)
		}
	}
}

// Of n normal numbers the mean has standard deviation σ/√n, the variance σ²·√(2/n), and the
// share within z standard deviations √(p·(1−p)/n); five of each are allowed. A clamped value
// lies at the bound as often as the normal distribution says.
func TestNoiseIsNormal(t *testing.T) {
	const n = 400_000
	share := func(z float64) float64 { return math.Erf(z / math.Sqrt2) }
	x, y := make([]float32, n), make([]float32, n)
	for _, sigma := range []float64{0.01, 0.05, 0.1} {
		for i := range x {
			x[i] = 0.5
		}
		Noise{Seed: 3, Step: 9, Sigma: sigma}.Apply(y, x)
		sum, squares, neighbours, within := 0.0, 0.0, 0.0, [4]float64{}
		for i, v := range y {
			d := float64(v) - 0.5
			sum, squares = sum+d, squares+d*d
			neighbours += d * (float64(y[(i+1)%n]) - 0.5)
			for z := 1; z < 4; z++ {
				if math.Abs(d) < float64(z)*sigma {
					within[z]++
				}
			}
		}
		if mean := sum / n; math.Abs(mean) > 5*sigma/math.Sqrt(n) {
			t.Errorf("sigma %v: the mean is %v", sigma, mean)
		}
		if r := squares / n / (sigma * sigma); math.Abs(r-1) > 5*math.Sqrt(2.0/n) {
			t.Errorf("sigma %v: the variance is %v times what it should be", sigma, r)
		}
		if r := neighbours / n / (sigma * sigma); math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("sigma %v: neighbours correlate by %v", sigma, r)
		}
		for z := 1; z < 4; z++ {
			p := share(float64(z))
			if got := within[z] / n; math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/n) {
				t.Errorf("sigma %v: %v are within %d of it, of a normal distribution %v", sigma, got, z, p)
			}
		}
	}
	for i := range x {
		x[i] = float32(i % 2)
	}
	Noise{Seed: 4, Sigma: 0.25}.Apply(y, x)
	ends := 0
	for i, v := range y {
		if v < 0 || v > 1 {
			t.Fatalf("value %d is %v", i, v)
		}
		if v == x[i] {
			ends++
		}
	}
	if got := float64(ends) / n; math.Abs(got-0.5) > 5*math.Sqrt(0.25/n) {
		t.Errorf("%v of the values at a bound stay there, half of them should", got)
	}
}
