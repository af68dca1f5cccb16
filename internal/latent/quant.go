package latent

import (
	"fmt"
	"math"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/metakey"
)

// Quant maps values to int8, channel by channel: x ≈ Scale·(q − ZeroPoint).
// Zero is exact.
type Quant struct {
	Scale     []float64
	ZeroPoint []int
}

// The smallest value of a channel goes to quantLow, the largest to quantHigh;
// one step is left at either end for the rounding of the zero point.
const (
	quantLow  = -127
	quantHigh = 126
)

// Range gathers each channel's smallest and largest value; both start at 0,
// which every range holds.
type Range struct {
	shape    arch.Shape
	Min, Max []float64
}

// NewRange is the empty range of latents of the shape.
func NewRange(s arch.Shape) *Range {
	return &Range{shape: s, Min: make([]float64, s.C), Max: make([]float64, s.C)}
}

// Add widens the range by latents, whole rows in NCHW order.
func (r *Range) Add(latents []float32) {
	area := r.shape.H * r.shape.W
	for c := 0; len(latents) > 0; c = (c + 1) % r.shape.C {
		lo, hi := float32(r.Min[c]), float32(r.Max[c])
		for _, v := range latents[:area] {
			lo, hi = min(lo, v), max(hi, v)
		}
		r.Min[c], r.Max[c] = float64(lo), float64(hi)
		latents = latents[area:]
	}
}

// Quant is the mapping for values in the range. A channel that is 0 everywhere
// has the scale 1.
func (r *Range) Quant() (Quant, error) {
	q := Quant{Scale: make([]float64, r.shape.C), ZeroPoint: make([]int, r.shape.C)}
	for c := range q.Scale {
		lo, hi := r.Min[c], r.Max[c]
		if math.IsNaN(lo) || math.IsInf(hi-lo, 0) {
			return q, fmt.Errorf("channel %d of the latents runs from %v to %v: it can't be quantised", c, lo, hi)
		}
		q.Scale[c] = (hi - lo) / (quantHigh - quantLow)
		if q.Scale[c] == 0 {
			q.Scale[c] = 1
		}
		q.ZeroPoint[c] = int(math.RoundToEven(quantLow - lo/q.Scale[c]))
	}
	return q, nil
}

// encode quantises whole rows: round(x/scale) + zero point, ties to even,
// within int8.
func (q Quant) encode(to []int8, latents []float32, s arch.Shape) {
	area := s.H * s.W
	for at, c := 0, 0; at < len(latents); at, c = at+area, (c+1)%s.C {
		scale, zero := q.Scale[c], float64(q.ZeroPoint[c])
		for i, v := range latents[at : at+area] {
			to[at+i] = int8(min(max(math.RoundToEven(float64(v)/scale)+zero, -128), 127))
		}
	}
}

// decode is the stored values' meaning as float32.
func (q Quant) decode(to []float32, stored []int8, s arch.Shape) {
	area := s.H * s.W
	var table [256]float32
	for c := range s.C {
		for i := range table {
			table[i] = float32(q.Scale[c] * float64(i-128-q.ZeroPoint[c]))
		}
		for row := c * area; row < len(stored); row += s.Values() {
			for i, v := range stored[row : row+area] {
				to[row+i] = table[int(v)+128]
			}
		}
	}
}

// Round gives the values that a reader of q's files gets instead of latents
// (whole rows), in place.
func (q Quant) Round(latents []float32, s arch.Shape) {
	stored := make([]int8, len(latents))
	q.encode(stored, latents, s)
	q.decode(latents, stored, s)
}

func (q Quant) check(channels int) error {
	if len(q.Scale) != channels || len(q.ZeroPoint) != channels {
		return fmt.Errorf("metadata %s and %s: %d and %d numbers for %d channels",
			metakey.Scale, metakey.ZeroPoint, len(q.Scale), len(q.ZeroPoint), channels)
	}
	for c, s := range q.Scale {
		if !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("metadata %s: channel %d has the scale %v, wanted is one above 0", metakey.Scale, c, s)
		}
		if z := q.ZeroPoint[c]; z < -128 || z > 127 {
			return fmt.Errorf("metadata %s: channel %d has the zero point %d, wanted is one in [-128, 127]", metakey.ZeroPoint, c, z)
		}
	}
	return nil
}

// NotFinite is where the first value lies that is not a number or infinite; −1 without one.
func NotFinite(values []float32) int {
	return slices.IndexFunc(values, func(v float32) bool { return v-v != 0 })
}

// errNotFinite names the row of a latent value that the dtype can't hold.
func errNotFinite(id int64, v float32, d DType) error {
	if d == Float16 && NotFinite([]float32{v}) < 0 {
		return fault.Usagef("image %d: the latent value %v does not fit float16 (at most 65504): use --dtype float32 or int8", id, v)
	}
	return fmt.Errorf("image %d: the encoder gave the latent value %v", id, v)
}
