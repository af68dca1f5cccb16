package baseline

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"

	"moncae/internal/dataset"
	"moncae/internal/gemm"
	"moncae/internal/metric"
	"moncae/internal/pca"
)

// Work bounds the multiply-adds that fitting a PCA may take.
const Work = 5e10

// fittedValues are the most values of training images that a mapping to probabilities is
// fitted on.
const fittedValues = 1 << 19

// PCA is a principal component analysis of training images.
type PCA struct {
	set        *dataset.Set
	training   int // images it stands for, those thinned out too
	rows       []int32
	mean       []float64
	spectrum   spectrum
	components map[int]*mat.Dense // D × K, the first K directions, by K
}

// Figures are PCA's reconstructions x at one number of values. BCE is the smaller one of
// σ(a·x + b) and of x clipped to [ε, 1 − ε], with a, b and ε fitted on training images:
// the first is the better one of coarse reconstructions, the second of fine ones. MSE, PSNR
// and SSIM are those of x clipped to [0, 1].
type Figures struct {
	BCE  float64 `json:"bce"`
	MSE  float64 `json:"mse"`
	PSNR float64 `json:"psnr"`
	SSIM float64 `json:"ssim,omitempty"` // 0: not measured, in a front of an older moncae
}

// NewPCA prepares an analysis of the given rows; the work is done by the first At.
func NewPCA(set *dataset.Set, rows []int32) *PCA {
	return &PCA{set: set, training: len(rows), rows: pca.Thin(rows, 1, affordable(len(rows), set.Shape.Values()))}
}

// affordable is the most images, of n with d values, that Work allows.
func affordable(n, d int) int {
	if least := int(Work / float64(d) / float64(d)); least >= d {
		return min(n, least)
	}
	return min(n, int(math.Sqrt(Work/float64(d))))
}

// At reconstructs rows of the set from so many values an image. It is nil where
// PCA can't: where values ≥ min(D, training images), or ≥ the images that Work
// allows.
func (p *PCA) At(values int, rows []int32) *Figures {
	if !p.can(values) {
		return nil
	}
	d := p.set.Shape.Values()
	v := p.directions(values)
	link, clip := p.fitted(v)
	var linked, cut, mse, ssim float64
	image, clipped := make([]float32, d), make([]float32, d)
	p.reconstruct(v, rows, func(x, r []float64) {
		linked, cut = linked+link.loss(x, r), cut+clip.loss(x, r)
		for i := range x {
			c := min(max(r[i], 0), 1)
			mse += (c - x[i]) * (c - x[i])
			image[i], clipped[i] = float32(x[i]), float32(c)
		}
		ssim += metric.SSIM(image, clipped, p.set.Shape)
	})
	n := float64(len(rows) * d)
	return &Figures{BCE: min(linked, cut) / n, MSE: mse / n, PSNR: metric.PSNR(mse / n), SSIM: ssim / float64(len(rows))}
}

// Images are the reconstructions of rows that At measures MSE by, values in
// [0, 1], CHW; nil where At is.
func (p *PCA) Images(values int, rows []int32) [][]float32 {
	if !p.can(values) {
		return nil
	}
	var images [][]float32
	p.reconstruct(p.directions(values), rows, func(_, r []float64) {
		image := make([]float32, len(r))
		for i, v := range r {
			image[i] = float32(min(max(v, 0), 1))
		}
		images = append(images, image)
	})
	return images
}

// Codes are the rows as so many values each; nil where At is.
func (p *PCA) Codes(values int, rows []int32) *mat.Dense {
	if !p.can(values) {
		return nil
	}
	codes := mat.NewDense(len(rows), values, nil)
	v := p.directions(values)
	for at := 0; at < len(rows); at += block {
		end := min(at+block, len(rows))
		codes.Slice(at, end, 0, values).(*mat.Dense).Copy(gemm.Product(blas.NoTrans, p.centred(rows[at:end]), blas.NoTrans, v))
	}
	return codes
}

func (p *PCA) can(values int) bool {
	return values < min(p.set.Shape.Values(), p.training) && values < len(p.rows)
}

// fitted are what maps reconstructions by v to probabilities, fitted on training images.
func (p *PCA) fitted(v *mat.Dense) (link, clip) {
	var xs, rs []float64
	p.reconstruct(v, pca.Thin(p.rows, 1, max(1, fittedValues/len(p.mean))), func(x, r []float64) {
		xs, rs = append(xs, x...), append(rs, r...)
	})
	l := newLink()
	l.fit(xs, rs)
	return l, newClip(xs, rs)
}

// block is how many images are worked on at a time.
const block = 512

// centred fills x, whose rows are images, with the given images less the mean.
func (p *PCA) centred(rows []int32) *mat.Dense {
	d := p.set.Shape.Values()
	value := scale()
	x := mat.NewDense(len(rows), d, nil)
	for i, r := range rows {
		dst := x.RawRowView(i)
		for k, v := range p.set.Image(int(r)) {
			dst[k] = value[v] - p.mean[k]
		}
	}
	return x
}

// reconstruct visits blocks of values x and their reconstructions r.
func (p *PCA) reconstruct(v *mat.Dense, rows []int32, visit func(x, r []float64)) {
	d := p.set.Shape.Values()
	for at := 0; at < len(rows); at += block {
		x := p.centred(rows[at:min(at+block, len(rows))])
		n, _ := x.Dims()
		r := gemm.Product(blas.NoTrans, gemm.Product(blas.NoTrans, x, blas.NoTrans, v), blas.Trans, v)
		for i := range n {
			xi, ri := x.RawRowView(i), r.RawRowView(i)
			for k := range d {
				xi[k] += p.mean[k]
				ri[k] += p.mean[k]
			}
			visit(xi, ri)
		}
	}
}

// directions are the first k principal directions, as columns. They are taken
// from as many as the next power of two, so that what k gives doesn't depend on
// what was asked before.
func (p *PCA) directions(k int) *mat.Dense {
	if p.mean == nil {
		p.mean = p.meanOf()
		p.spectrum = newSpectrum(p)
		p.components = map[int]*mat.Dense{}
	}
	wide := 64
	for wide < k {
		wide *= 2
	}
	c := p.components[wide]
	if c == nil {
		c = p.spectrum.first(wide)
		p.components[wide] = c
	}
	d, _ := c.Dims()
	return c.Slice(0, d, 0, k).(*mat.Dense)
}

func (p *PCA) meanOf() []float64 {
	value := scale()
	mean := make([]float64, p.set.Shape.Values())
	for _, r := range p.rows {
		for k, v := range p.set.Image(int(r)) {
			mean[k] += value[v]
		}
	}
	for k := range mean {
		mean[k] /= float64(len(p.rows))
	}
	return mean
}
