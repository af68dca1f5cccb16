package compress

import (
	"bytes"
	"sync/atomic"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/imagefile"
	"moncae/internal/latent"
	"moncae/internal/metric"
	"moncae/internal/ort"
)

const (
	slabBytes = 4 << 20 // of latents that are written at once
	slabMost  = 1 << 16 // rows of them
)

// batchSizes bound what a run of a model takes by default: its images, and the
// bytes of them as float32. On a processor a batch's feature maps should stay in
// the cache of its core: 256 images of 32×32 take half as long again as 32.
var batchSizes = map[string]struct{ images, bytes int }{
	ort.CPU:  {32, 2 << 20},
	ort.CUDA: {256, 16 << 20},
}

// batchOf is the images of a run of the model: those that are asked for, or the
// default for images of a shape.
func (n *net) batchOf(asked int, image arch.Shape) int {
	if n.fixed > 0 {
		return n.fixed
	}
	if asked > 0 {
		return asked
	}
	most := batchSizes[n.session.Provider()]
	return min(most.images, max(1, most.bytes/(4*image.Values())))
}

// batchBytes is what a batch's images may take as float32, in each worker.
const batchBytes = 2 << 30

// bounded is the batch that is asked for, of no more images than there are (−1: that
// isn't known); one that no memory has room for is refused.
func (n *net) bounded(asked int, images int64, image arch.Shape) (int, error) {
	if n.fixed > 0 {
		return asked, nil
	}
	if images > 0 {
		asked = int(min(int64(asked), images))
	}
	if most := max(1, batchBytes/(4*image.Values())); asked > most {
		return 0, fault.Usagef("--batch %d: so many images of %v take more than %d GiB of memory, for each worker: give %d at most, or leave the flag out", asked, image, batchBytes>>30, most)
	}
	return asked, nil
}

// setup is what the workers of a pipeline know.
type setup struct {
	enc       *encoder
	dec       *decoder // nil: no quality
	meta      *latent.Meta
	dtype     latent.DType
	batch     int
	workers   int
	slabRows  int
	withError bool
	sampling  sampling // zero: none
	begin     int64    // the place of the source's first row in the whole
	done      atomic.Int64
}

// size sets what follows from the shapes.
func (j *setup) size(batch int) {
	j.batch = j.enc.batchOf(batch, j.enc.image)
	rows := min(slabMost, slabBytes/(4*j.enc.latent.Values()))
	j.slabRows = max(1, rows/j.batch) * j.batch
}

// buffers are what one goroutine keeps for its batches.
type buffers struct {
	encode, decode scratch
	latents        []float32
	images         []float32
	original       []float32
	png            bytes.Buffer
}

// encode runs one batch: latents into the slab, and the sample that it holds.
func (j *setup) encode(w *buffers, t *slabPart) (r result) {
	n := t.rows()
	r.first = t.first
	if r.err = j.enc.encode(&w.encode, t.images.Images, n, t.latents); r.err != nil {
		return r
	}
	if r.err = j.finite(t); r.err != nil {
		return r
	}
	for _, run := range j.sampling.runs(t.first, n) {
		if r.err = j.measure(w, t, run[0], run[1], &r.sample); r.err != nil {
			return r
		}
	}
	j.done.Add(int64(n))
	return r
}

// finite refuses latents that nothing can be done with.
func (j *setup) finite(t *slabPart) error {
	values := j.enc.latent.Values()
	if i := latent.NotFinite(t.latents); i >= 0 {
		return fault.Usagef("%s makes %v of image %d: its input is not what it was trained on (values %s), or its float16 runs over",
			j.enc.name, t.latents[i], t.images.Records[i/values].ID, j.enc.Values())
	}
	return nil
}

// sample sums what is measured on single rows, in their order.
type sample struct {
	Rows int64   `json:"rows"`
	PNG  int64   `json:"png"` // bytes
	MSE  float64 `json:"mse"`
	SSIM float64 `json:"ssim"`
}

func (s *sample) add(o sample) {
	s.Rows += o.Rows
	s.PNG += o.PNG
	s.MSE += o.MSE
	s.SSIM += o.SSIM
}

// measure takes a batch's rows from i up to k through PNG and the decoder.
func (j *setup) measure(w *buffers, t *slabPart, i, k int, sum *sample) error {
	image, values := j.enc.image, j.enc.latent.Values()
	size := image.Values()
	pixels := t.images.Images[i*size : k*size]
	for row := range k - i {
		w.png.Reset()
		if err := imagefile.EncodePixels(&w.png, pixels[row*size:(row+1)*size], image); err != nil {
			return err
		}
		sum.PNG += int64(w.png.Len())
	}
	sum.Rows += int64(k - i)
	if j.dec == nil {
		return nil
	}
	from := t.latents[i*values : k*values]
	w.latents = sized(w.latents, len(from))
	copy(w.latents, from)
	latent.Meta{Shape: j.meta.Shape, Quant: j.meta.Quant}.Round(w.latents, j.dtype) // meta's other fields are written meanwhile
	w.images, w.original = sized(w.images, len(pixels)), sized(w.original, len(pixels))
	if err := j.decodeRows(w, k-i); err != nil {
		return err
	}
	for at, v := range pixels {
		w.original[at] = float32(v) / 255
	}
	for row := range k - i {
		a, b := w.original[row*size:(row+1)*size], w.images[row*size:(row+1)*size]
		mse := metric.MSE(a, b)
		sum.MSE += mse
		sum.SSIM += metric.SSIM(a, b, image)
		if t.errors != nil {
			t.errors[i+row] = float32(mse)
		}
	}
	return nil
}

// decodeRows runs the decoder in batches that a model of fixed size can take.
func (j *setup) decodeRows(w *buffers, n int) error {
	step := n
	if j.dec.fixed > 0 {
		step = j.dec.fixed
	}
	values, size := j.enc.latent.Values(), j.enc.image.Values()
	for at := 0; at < n; at += step {
		m := min(step, n-at)
		if err := j.dec.decode(&w.decode, w.latents[at*values:(at+m)*values], m, w.images[at*size:(at+m)*size]); err != nil {
			return err
		}
	}
	return nil
}

// sampling picks rows evenly: all of them, or about most.
type sampling struct {
	most int64 // 0: none
	rows int64 // of the whole; −1: unknown
	all  bool
}

// picks tells whether a row is in the sample. Where the number of rows is
// unknown the picked ones become rarer as rows come.
func (s sampling) picks(row int64) bool {
	stride := int64(1)
	if s.rows < 0 {
		for row >= s.most*stride {
			stride *= 2
		}
	} else {
		stride = max(1, (s.rows+s.most-1)/s.most)
	}
	return row%stride == 0
}

// runs are the picked rows among n from first on, as ranges within the n.
func (s sampling) runs(first int64, n int) [][2]int {
	if s.all {
		return [][2]int{{0, n}}
	}
	if s.most == 0 {
		return nil
	}
	var runs [][2]int
	for i := range n {
		if !s.picks(first + int64(i)) {
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last][1] == i {
			runs[last][1]++
		} else {
			runs = append(runs, [2]int{i, i + 1})
		}
	}
	return runs
}
