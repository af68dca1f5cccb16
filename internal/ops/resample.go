package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func (MaxPool2) ranks() []int      { return []int{4, 4} }
func (MaxPool2Grad) ranks() []int  { return []int{4, 4, 4, 4} }
func (Upsample2) ranks() []int     { return []int{4, 4} }
func (Upsample2Grad) ranks() []int { return []int{4, 4} }

func (o MaxPool2) shape(in []tensor.Shape) (tensor.Shape, error) { return halves(in[0]), nil }

func (o MaxPool2Grad) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !equal(in[1], halves(in[0])) || !equal(in[2], in[1]) {
		return nil, fmt.Errorf("input %v, output %v, gradient %v: the latter two must be %v", in[0], in[1], in[2], halves(in[0]))
	}
	return in[0].Clone(), nil
}

func (o Upsample2) shape(in []tensor.Shape) (tensor.Shape, error) {
	y := tensor.Shape{in[0][0], in[0][1], o.H, o.W}
	if o.H < 1 || o.W < 1 || !equal(halves(y), in[0]) {
		return nil, fmt.Errorf("%v to %v is not a doubling, or one less", in[0], y)
	}
	return y, nil
}

func (o Upsample2Grad) shape(in []tensor.Shape) (tensor.Shape, error) { return halves(in[0]), nil }

// largest is the place, in a plane of h×w values, of the first maximum in window
// (r, c); a value that is not a number counts as the largest.
func largest(plane []float32, h, w, r, c int) int {
	top, left := 2*r-h%2, 2*c-w%2
	best := -1
	for i := max(top, 0); i < top+2; i++ {
		for j := max(left, 0); j < left+2; j++ {
			at := i*w + j
			if best < 0 || plane[at] > plane[best] || plane[at] != plane[at] && plane[best] == plane[best] {
				best = at
			}
		}
	}
	return best
}

// windows calls f for every output of a pooling with the places of the output
// and of its input in whole tensors.
func windows(x array, f func(y, x int)) {
	s, at := halves(x.s), 0
	for n := range s[0] {
		for c := range s[1] {
			plane, start := x.plane(n, c), (n*s[1]+c)*x.s[2]*x.s[3]
			for r := range s[2] {
				for col := range s[3] {
					f(at, start+largest(plane, x.s[2], x.s[3], r, col))
					at++
				}
			}
		}
	}
}

func (o MaxPool2) run(in []array, y array) {
	windows(in[0], func(to, from int) { y.v[to] = in[0].v[from] })
}

func (o MaxPool2Grad) run(in []array, dx array) {
	windows(in[0], func(y, x int) { dx.v[x] = in[2].v[y] })
}

// doubled calls f for every value of large, an array of twice the size of
// small (or one less), with its own place and that of its source.
func doubled(large, small tensor.Shape, f func(large, small int)) {
	at := 0
	for plane := range large[0] * large[1] {
		for h := range large[2] {
			row := (plane*small[2] + (h+large[2]%2)/2) * small[3]
			for w := range large[3] {
				f(at, row+(w+large[3]%2)/2)
				at++
			}
		}
	}
}

func (o Upsample2) run(in []array, y array) {
	doubled(y.s, in[0].s, func(to, from int) { y.v[to] = in[0].v[from] })
}

func (o Upsample2Grad) run(in []array, dx array) {
	sum := make([]float64, len(dx.v))
	doubled(in[0].s, dx.s, func(from, to int) { sum[to] += float64(in[0].v[from]) })
	store(dx.v, sum)
}

// DiffWRT tells which inputs have a gradient.
func (o MaxPool2) DiffWRT(int) []bool { return []bool{true} }

// SymDiff makes the gradient of x.
func (o MaxPool2) SymDiff(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(MaxPool2Grad{}, in[0], y, dy)
	return gorgonia.Nodes{dx}, err
}

// DiffWRT tells which inputs have a gradient.
func (o Upsample2) DiffWRT(int) []bool { return []bool{true} }

// SymDiff makes the gradient of x.
func (o Upsample2) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(Upsample2Grad{}, dy)
	return gorgonia.Nodes{dx}, err
}
