package ptx_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"moncae/internal/engine/cuda/kernels"
	"moncae/tests/kernels/ptx"
)

func kernel(t *testing.T, file, name string) *ptx.Kernel {
	t.Helper()
	all, err := ptx.Parse(kernels.PTX()[file])
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

// floats are random values in memory at a base.
func floats(base uint64, n int) (ptx.Piece, []float32) {
	r := rand.New(rand.NewPCG(base, 1))
	values, bytes := make([]float32, n), make([]byte, 4*n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
		binary.LittleEndian.PutUint32(bytes[4*i:], math.Float32bits(values[i]))
	}
	return ptx.Piece{Base: base, Bytes: bytes}, values
}

func at(p ptx.Piece, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(p.Bytes[4*i:]))
}

// TestConvolution holds a kernel's PTX against the sum that it stands for.
func TestConvolution(t *testing.T) {
	const h, w, c, k, bias = 5, 6, 24, 3, 1 << 44
	x, image := floats(1<<40, h*w*c)
	weight, filter := floats(1<<41, k*k*c)
	b, shift := floats(bias, 1)
	y, _ := floats(1<<43, h*w)
	const linear, turned, stride, bits = 0, 0, 1, 3
	args := []uint64{x.Base, weight.Base, b.Base, y.Base, linear, 1, h, w, c, h, w, 1, k, stride, turned, h, w, bits}
	if _, err := kernel(t, "conv", "conv_few1_f32_f32").Run(ptx.Memory{x, weight, b, y}, ptx.Grid{Blocks: [3]int{1, 1, 1}, Threads: [3]int{256, 1, 1}}, args, []int{0}); err != nil {
		t.Fatal(err)
	}
	for p := range h * w {
		want := float64(shift[0])
		for tap := range k * k {
			py, px := p/w+tap/k-1, p%w+tap%k-1
			for ch := 0; ch < c && py >= 0 && py < h && px >= 0 && px < w; ch++ {
				want += float64(image[(py*w+px)*c+ch]) * float64(filter[tap*c+ch])
			}
		}
		if got := float64(at(y, p)); math.Abs(got-want) > 1e-4 {
			t.Errorf("pixel %d is %v, want %v", p, got, want)
		}
	}
}

// TestCounts counts by hand what a block of a sum of two vectors does.
func TestCounts(t *testing.T) {
	a, _ := floats(1<<40, 256)
	b, _ := floats(1<<41, 256)
	y, _ := floats(1<<42, 256)
	add := kernel(t, "layers", "add_f32")
	one := ptx.Grid{Blocks: [3]int{1, 1, 1}, Threads: [3]int{256, 1, 1}}
	count, err := add.Run(ptx.Memory{a, b, y}, one, []uint64{a.Base, b.Base, y.Base, 256}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	if want := 8 * 3; count.Lines != want { // 8 warps, 128 bytes of each vector
		t.Errorf("%d lines, want %d", count.Lines, want)
	}
	if want := 3 * 256 * 4 / 32; count.Sectors != want {
		t.Errorf("%d sectors, want %d", count.Sectors, want)
	}
	if count.Issued < 8*10 || count.Issued > 8*40 { // ptxas makes 40 instructions of it
		t.Errorf("%d instructions", count.Issued)
	}
	if at(y, 200) != at(a, 200)+at(b, 200) {
		t.Errorf("%v + %v is %v", at(a, 200), at(b, 200), at(y, 200))
	}
	_, err = add.Run(ptx.Memory{a, b, y}, one, []uint64{a.Base, b.Base, y.Base + 4, 256}, []int{0})
	if err == nil || !strings.Contains(err.Error(), "where no memory is") {
		t.Errorf("a write beyond the vector: %v", err)
	}
}
