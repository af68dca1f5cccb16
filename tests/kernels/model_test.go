//go:build nvidia && linux && amd64

package kernels_test

import (
	"fmt"
	"math"
	"strings"

	"moncae/internal/engine/cuda/plan"
	"moncae/tests/kernels/ptx"
)

// The model's device is an H100 SXM by its data sheet, and by what microbenchmarks found
// of its second-level cache.
const (
	multiprocessors = 132
	schedulers      = 4 // of a multiprocessor, each issues an instruction a cycle
	clock           = 1.98e9
	bandwidth       = 3.35e12 // bytes a second, of memory
	cache           = 5.5e12  // and of the second-level cache
	multiplyAdds    = multiprocessors * 128 * clock
	tensorAdds      = 494e12 // multiply-adds a second of bfloat16 in tensor cores
	launching       = 3e-6   // seconds
	sector          = 32     // bytes
)

// occupancy is what a multiprocessor has for blocks.
const (
	registers  = 65536
	sharedSize = 227 << 10
	threads    = 2048
	blocks     = 32
)

// scratch are the arguments, by number, that a kernel leaves sums in for the next: no
// way of computing the same needs them.
var scratch = map[string]int{"conv_weight": 2, "sum_rows": 1, "norm_sums": 3, "norm_grad_sums_": 8, "loss_pixels": 4, "activate_grad": 5, "norm_grad_b": 13, "norm_grad_f": 13}

// estimate is what the model says of a launch, in seconds.
type estimate struct {
	bound, modelled float64
	limit           string
	bytes           int64   // that must be read or written
	products        float64 // multiply-adds
	issued          float64 // instructions of warps
}

// of estimates a launch by blocks of it that ran.
func of(l plan.Launch, count ptx.Count, grid int, bytes map[plan.Ref]int64, size kernelSize) estimate {
	e := estimate{products: products(l), issued: float64(count.Issued) / float64(count.Blocks) * float64(grid)}
	var all int64
	for ref, n := range bytes {
		all += n
		if !passing(l, ref) {
			e.bytes += n
		}
	}
	e.bound = launching + max(float64(e.bytes)/bandwidth, e.products/multiplyAdds)

	perBlock := func(n int) float64 { return float64(n) / float64(count.Blocks) }
	busiest := math.Ceil(float64(grid) / multiprocessors) // blocks of the multiprocessor with the most
	resident := min(blocks, threads/l.Block, registers/((size.registers+7)/8*8*l.Block))
	if size.shared > 0 {
		resident = min(resident, sharedSize/(size.shared+1024))
	}
	waves := max(1, float64(grid)/float64(multiprocessors*resident))
	work := 0.0
	for _, part := range []struct {
		limit   string
		seconds float64
	}{
		{"memory", float64(all) / bandwidth},
		{"cache", perBlock(count.Sectors) * float64(grid) * sector / cache},
		{"issue", busiest * perBlock(count.Issued) / schedulers / clock},
		{"lines", busiest * perBlock(count.Lines+count.Banks) / clock},
		{"waits", waves * float64(count.Cycles) / clock},
	} {
		if part.seconds > work {
			work, e.limit = part.seconds, part.limit
		}
	}
	e.modelled = launching + work
	return e
}

// passing tells whether a place holds sums for a kernel that comes later.
func passing(l plan.Launch, ref plan.Ref) bool {
	for prefix, arg := range scratch {
		if strings.HasPrefix(l.Kernel, prefix) && l.Args[arg] == ref {
			return true
		}
	}
	return false
}

// products are a convolution's multiply-adds, by its kernel's arguments.
func products(l plan.Launch) float64 {
	if !strings.HasPrefix(l.Kernel, "conv_") {
		return 0
	}
	at := 5
	if strings.HasPrefix(l.Kernel, "conv_weight") {
		at = 3
	}
	var n [10]float64
	for i := range n {
		if at+i < len(l.Args) {
			n[i] = float64(l.Args[at+i].(int32))
		}
	}
	image, read, written, kernel := n[0], n[1]*n[2], n[4]*n[5], n[7]*n[7]
	if turned := n[9] != 0 && at == 5; turned {
		written = read
	}
	return image * written * n[3] * n[6] * kernel
}

// ofConvolution is the bound of one that cuDNN computes; how it does isn't known.
func ofConvolution(c plan.Conv) estimate {
	in, out, weight := int64(c.N*c.H*c.W*c.C), int64(c.N*c.YH*c.YW*c.O), int64(c.O*c.Kernel*c.Kernel*c.C)
	e := estimate{products: float64(out) * float64(c.Kernel*c.Kernel*c.C), bytes: (in + out + weight) * 4}
	peak := float64(multiplyAdds)
	if c.Half {
		e.bytes, peak = e.bytes/2, tensorAdds
	}
	e.bound = launching + max(float64(e.bytes)/bandwidth, e.products/peak)
	return e
}

func micro(seconds float64) string { return fmt.Sprintf("%.2f", seconds*1e6) }
