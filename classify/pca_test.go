package classify

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

func TestPCAIsScikitLearns(t *testing.T) {
	var f struct { // what scikit-learn said; internal/score/testdata/fixture.py writes it
		Images          []int
		Values          int
		Variance, Codes []float64
	}
	b, err := os.ReadFile("testdata/pca.json")
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	images := make([]uint8, len(f.Images))
	for i, v := range f.Images {
		images[i] = uint8(v)
	}
	k := len(f.Variance)
	p := fitPCA(images, f.Values, k)
	for i, want := range f.Variance {
		near(t, "variance", p.variance[i], want, 1e-4*f.Variance[0])
	}
	codes := p.codes(images)
	for j := range k { // an axis may point either way
		sign := 1.0
		if float64(codes[j])*f.Codes[j] < 0 {
			sign = -1
		}
		for i := j; i < len(codes); i += k {
			near(t, "code", sign*float64(codes[i]), f.Codes[i], 5e-3*math.Sqrt(f.Variance[0]))
		}
	}
}

// With as many components as values nothing is lost: distances stay.
func TestPCAOfFullRankKeepsDistances(t *testing.T) {
	const d, rows = 12, 50
	rng := rand.New(rand.NewPCG(3, 4))
	images := make([]uint8, rows*d)
	for i := range images {
		images[i] = uint8(rng.IntN(256))
	}
	codes := fitPCA(images, d, d).codes(images)
	for r := 1; r < rows; r++ {
		was, is := 0.0, 0.0
		for i := range d {
			was += math.Pow((float64(images[i])-float64(images[r*d+i]))/255, 2)
			is += math.Pow(float64(codes[i]-codes[r*d+i]), 2)
		}
		near(t, "squared distance", is, was, 1e-4)
	}
}

// Images that are all equal have no direction; their codes are 0.
func TestPCAOfConstantImages(t *testing.T) {
	images := make([]uint8, 40*30)
	for i := range images {
		images[i] = 77
	}
	for _, v := range fitPCA(images, 30, 3).codes(images) {
		near(t, "code", float64(v), 0, 1e-6)
	}
}

// Of many images those looked at are spread over all of them.
func TestThinSpreads(t *testing.T) {
	images := []uint8{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}
	if got := thin(images, 2, 3); !slices.Equal(got, []uint8{0, 0, 1, 1, 3, 3}) {
		t.Errorf("%v", got)
	}
	if got := thin(images, 2, 5); len(got) != len(images) {
		t.Errorf("%v", got)
	}
}
