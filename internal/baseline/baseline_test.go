package baseline

import (
	"bytes"
	"math"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fixture"
)

// digits is what testdata/fixture.py writes with scikit-learn.
type digits struct {
	Rows, Train int
	Shape       arch.Shape
	Images      []byte
	MeanImage   Loss `json:"mean_image"`
	PCA         []pcaOf
	Binary      []pcaOf `json:"pca_binary"` // of the images in black and white
}

type pcaOf struct {
	Train, Values int
	Figures
}

func readDigits(t *testing.T) (digits, *dataset.Set) {
	t.Helper()
	var d digits
	fixture.Read(t, "testdata/pca.json", &d)
	return d, &dataset.Set{Name: "digits", Shape: d.Shape, Images: d.Images}
}

func rows(from, to int) []int32 {
	r := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		r = append(r, int32(i))
	}
	return r
}

// near allows for float32 pixels (6e-8 relative).
func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*math.Abs(b) }

func TestMeanImageIsThatOfNumpy(t *testing.T) {
	d, set := readDigits(t)
	mean := dataset.StatsOf(set, rows(0, d.Train)).Mean
	got := MeanImage(set, mean, rows(d.Train, d.Rows))
	if !near(got.BCE, d.MeanImage.BCE, 1e-6) || !near(got.MSE, d.MeanImage.MSE, 1e-6) {
		t.Errorf("%+v, want %+v", got, d.MeanImage)
	}
}

func TestPCAIsThatOfScikitLearn(t *testing.T) {
	d, set := readDigits(t)
	asScikitLearn(t, set, d, d.PCA)
	for i, v := range set.Images {
		set.Images[i] = (v >> 7) * 255
	}
	asScikitLearn(t, set, d, d.Binary) // here, the link has the smaller BCE
}

func asScikitLearn(t *testing.T, set *dataset.Set, d digits, all []pcaOf) {
	t.Helper()
	analyses := map[int]*PCA{}
	for _, want := range all {
		p := analyses[want.Train]
		if p == nil {
			p = NewPCA(set, rows(0, want.Train))
			analyses[want.Train] = p
		}
		got := p.At(want.Values, rows(d.Train, d.Rows))
		// Two optimisers agree on a and b to about 1e-6.
		if !near(got.MSE, want.MSE, 1e-6) || !near(got.BCE, want.BCE, 1e-5) || !near(got.PSNR, want.PSNR, 1e-6) || !near(got.SSIM, want.SSIM, 1e-5) {
			t.Errorf("%d values of %d images: %+v, want %+v", want.Values, want.Train, got, want.Figures)
		}
	}
}

func TestImagesAreWhatFiguresMeasure(t *testing.T) {
	d, set := readDigits(t)
	p := NewPCA(set, rows(0, d.Train))
	validation := rows(d.Train, d.Rows)
	var mse float64
	for i, image := range p.Images(8, validation) {
		for k, v := range set.Image(int(validation[i])) {
			e := float64(image[k]) - float64(v)/255
			mse += e * e
		}
	}
	mse /= float64(len(validation) * d.Shape.Values())
	if want := p.At(8, validation).MSE; !near(mse, want, 1e-6) {
		t.Errorf("the images' MSE is %v, the figures say %v", mse, want)
	}
	if p.Images(64, validation) != nil {
		t.Error("images where there are no figures")
	}
}

func TestPCAKnowsWhereItEnds(t *testing.T) {
	_, set := readDigits(t)
	for _, c := range []struct {
		images, values int
		there          bool
	}{{100, 63, true}, {100, 64, false}, {30, 29, true}, {30, 30, false}, {30, 99, false}} {
		if got := NewPCA(set, rows(0, c.images)).At(c.values, rows(200, 260)); (got != nil) != c.there {
			t.Errorf("%d values of %d images: %v", c.values, c.images, got)
		}
	}
}

// TestPCAOfEqualImages: nothing is easier to reconstruct.
func TestPCAOfEqualImages(t *testing.T) {
	for _, v := range []byte{0, 255} {
		set := &dataset.Set{Name: "equal", Shape: arch.Shape{C: 1, H: 8, W: 8}, Images: bytes.Repeat([]byte{v}, 100*64)}
		if got := NewPCA(set, rows(0, 80)).At(4, rows(80, 100)); got.BCE > 1e-6 || got.MSE > 1e-12 {
			t.Errorf("of %d: %+v", v, got)
		}
	}
}

func TestLinkOfConstantReconstructions(t *testing.T) {
	l := newLink()
	x, r := []float64{0, 0.5, 1}, []float64{0.5, 0.5, 0.5}
	l.fit(x, r)
	if math.IsNaN(l.loss(x, r)) {
		t.Errorf("link %+v", l)
	}
}

func TestWorkIsBounded(t *testing.T) {
	for _, c := range []struct{ n, d, want int }{{54000, 784, 54000}, {100000, 784, 81346}, {45000, 3072, 5298}, {45000, 12288, 2017}, {100, 12288, 100}} {
		if got := affordable(c.n, c.d); got != c.want {
			t.Errorf("%d images of %d values: %d", c.n, c.d, got)
		}
	}
}

func TestWhatWasAskedBeforeChangesNothing(t *testing.T) {
	_, set := readDigits(t)
	first, second := NewPCA(set, rows(0, 200)), NewPCA(set, rows(0, 200))
	first.At(40, rows(200, 260))
	if a, b := first.At(8, rows(200, 260)), second.At(8, rows(200, 260)); *a != *b {
		t.Errorf("%+v and %+v", a, b)
	}
}
