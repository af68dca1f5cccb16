package plan

import "math/bits"

// Convolutions with few channels on a side are computed by tiles of an image that lie
// in shared memory (kernels/narrow.cuh), of so many values.
const (
	fewChannels = 8
	held        = 12288
	mostBits    = 6   // of channels at a time
	enough      = 528 // blocks: a large device runs about so many at once
)

// tile is how a narrow convolution is cut: output pixels of a block, and powers of two
// of the channels that it takes at a time.
type tile struct {
	kernel        string
	height, width int
	bits          int  // of the input's channels
	outBits       int  // of the output's; 0 where a block has all
	tiles         int  // of the batch
	flat          bool // the batch's pixels are one row
}

// powerOf is the power of two that holds n.
func powerOf(n int) int { return bits.Len(uint(n - 1)) }

// cut gives tiles of a batch of images, largest first, until one fits. Where a pixel
// sees no neighbours the images are one row; a thread has so many rows.
func cut(n, height, width, rows int, flat bool, fits func(t *tile) bool) (tile, bool) {
	if flat {
		n, height, width = 1, 1, n*height*width
	}
	t := tile{width: min(width, 32), flat: flat}
	if flat && width >= enough*threads {
		t.width = threads
	}
	for t.height = min(height, rows*threads/t.width); t.height > 0; t.height-- {
		t.tiles = n * ceilDiv(height, t.height) * ceilDiv(width, t.width)
		if fits(&t) {
			t.height = ceilDiv(height, ceilDiv(height, t.height)) // as many rows in each
			return t, true
		}
	}
	return tile{}, false
}

// sees is how many input pixels a tile's outputs see.
func (t *tile) sees(kernel, stride int) int {
	return ((t.height-1)*stride + kernel) * ((t.width-1)*stride + kernel)
}

// whole is the tile with as many rows as its threads read, who have so many each.
func (t *tile) whole(rows int) *tile {
	return &tile{height: ceilDiv(t.height, rows) * rows, width: t.width}
}

// few are the kernels for few output channels: how many a thread holds, of how many rows.
var few = map[string]struct{ channels, rows int }{"conv_few1": {1, 4}, "conv_few4": {4, 1}, "conv_few8": {8, 1}}

func fewKernel(out, stride int) string {
	switch {
	case out == 1 && stride == 1:
		return "conv_few1"
	case out <= 4:
		return "conv_few4"
	}
	return "conv_few8"
}

// fewFor is how many channels are few where a matrix product has so many tiles: if they
// leave a device idle, more.
func fewFor(tiles int) int {
	if tiles < enough/2 {
		return 4 * fewChannels
	}
	return fewChannels
}

// narrowForward cuts a convolution with few channels on a side; with a stride, one that is
// turned or has many output channels is left to the matrix product.
func narrowForward(n, height, width, in, out, kernel, stride int, turned bool) (tile, bool) {
	most := fewFor(ceilDiv(n*height*width, side) * ceilDiv(out, side))
	switch {
	case out > fewChannels && in > most || stride > 1 && (turned || out > fewChannels):
		return tile{}, false
	case out > fewChannels:
		return spread(n, height, width, in, out, kernel)
	}
	name := fewKernel(out, stride)
	thread := few[name]
	t, ok := cut(n, height, width, thread.rows, kernel == 1 && stride == 1, func(t *tile) bool {
		least := 2 // 8 channels, a sector of memory, are better than a high tile
		if t.height > 1 {
			least = max(least, min(powerOf(in), 3))
		}
		for t.bits = max(min(powerOf(in), mostBits), 2); t.bits >= least; t.bits-- {
			if t.whole(thread.rows).sees(kernel, stride)*(1<<t.bits+4)+kernel*kernel*thread.channels<<t.bits <= held {
				return true
			}
		}
		return false
	})
	t.kernel = name
	return t, ok
}

// spreadPixel is how many values conv_spread has a pixel's channels in: neighbours are in
// other banks.
func spreadPixel(bits int) int {
	if bits > 2 {
		return 1<<bits + 4
	}
	return 1 << bits
}

// spread cuts a convolution with few input channels and many output channels, whose
// threads take pixel after pixel.
func spread(n, height, width, in, out, kernel int) (tile, bool) {
	t, ok := cut(n, height, width, threads, kernel == 1, func(t *tile) bool {
		t.bits = powerOf(in)
		for t.outBits = min(powerOf(out), mostBits); t.outBits >= 4; t.outBits-- {
			if t.whole(rowsAThread).sees(kernel, 1)*spreadPixel(t.bits)+kernel*kernel<<t.bits<<t.outBits <= held {
				return true
			}
		}
		return false
	})
	t.kernel = "conv_spread4"
	if in < 3 {
		t.kernel = "conv_spread1"
	}
	return t, ok
}

// What a thread has of a narrow convolution: pairs of a tap and an input channel, of a
// weight gradient; rows of conv_spread.
const (
	pairsAThread = 4
	rowsAThread  = 4
)

// weightKernels are those for weight gradients, and how many output channels a thread has.
var weightKernels = map[string]int{"conv_weight_few1": 1, "conv_weight_few4": 4, "conv_weight_spread": 8}

func weightKernel(g Geometry) string {
	switch {
	case g.O == 1:
		return "conv_weight_few1"
	case g.C >= pairsAThread:
		return "conv_weight_few4"
	}
	return "conv_weight_spread"
}

// narrowWeight cuts a weight gradient with few channels on a side.
func narrowWeight(g Geometry) (tile, bool) {
	if min(g.C, g.O) > fewFor(ceilDiv(g.N*g.YH*g.YW, 256)) {
		return tile{}, false
	}
	name := weightKernel(g)
	least := 2 // a thread has neighbouring channels
	if name == "conv_weight_spread" {
		least = 0
	}
	t, ok := cut(g.N, g.YH, g.YW, 1, g.Kernel == 1 && g.Stride == 1, func(t *tile) bool {
		t.kernel = name
		t.outBits = min(max(powerOf(g.O), powerOf(weightKernels[name])), mostBits)
		for t.bits = max(min(powerOf(g.C), mostBits-1), least); t.bits >= least; t.bits-- {
			if (t.sees(g.Kernel, g.Stride)+3)<<t.bits+t.height*t.width<<t.outBits <= held && t.shares(g) > 0 {
				return true
			}
		}
		return false
	})
	return t, ok
}

// shares is how many shares of a tile's pixels the threads of a block have.
func (t *tile) shares(g Geometry) int {
	return threads / ((1 << t.outBits) / weightKernels[t.kernel] * ceilDiv(g.Kernel*g.Kernel<<t.bits, pairsAThread))
}

func (l *lowering) narrowWeightGrad(c Conv, t tile, dw Ref, types string) {
	across, down := ceilDiv(c.C, 1<<t.bits), ceilDiv(c.O, 1<<t.outBits)
	each := ceilDiv(t.tiles*across*down, enough)
	blocks := ceilDiv(t.tiles, each)
	if t.flat {
		pixels := c.N * c.H * c.W
		c.N, c.H, c.W, c.YH, c.YW = 1, 1, pixels, 1, pixels
	}
	l.inParts(dw, blocks, c.O*c.Kernel*c.Kernel*c.C, func(to Ref) {
		l.emit(Launch{Kernel: t.kernel + types, Grid: [3]int{across, down, blocks}, Block: threads, MACs: c.MACs(), Args: []any{
			c.Input, c.Output, to,
			int32(c.N), int32(c.H), int32(c.W), int32(c.C), int32(c.YH), int32(c.YW), int32(c.O), int32(c.Kernel), int32(c.Stride),
			int32(each), int32(t.height), int32(t.width), int32(t.bits), int32(t.outBits)}})
	})
}
