// Package philox is the counter-based generator Philox4x32-10 (Salmon, Moraes,
// Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and what
// dropout makes of it.
//
// A number depends on a key and a counter alone, so every engine can compute
// any value of a mask by itself, in any order. The definition that all engines
// share:
//
//   - the key is the 64-bit seed, low word first;
//   - the counter is (i/4, layer, step's low word, step's high word) for value i
//     of the activation in NCHW order, batch included;
//   - value i takes output word i%4;
//   - it is kept if float32(word>>8)·2⁻²⁴ ≥ float32(rate); kept values are
//     multiplied, in float32, by float32(1/(1−rate)).
//
// Nothing is allocated; a block of four numbers costs about 10 ns.
package philox

const (
	multiplier0, multiplier1 = 0xD2511F53, 0xCD9E8D57
	weyl0, weyl1             = 0x9E3779B9, 0xBB67AE85
	rounds                   = 10
)

// Block is the generator's output for a counter and a key.
func Block(counter [4]uint32, key [2]uint32) [4]uint32 {
	for range rounds {
		a := uint64(multiplier0) * uint64(counter[0])
		b := uint64(multiplier1) * uint64(counter[2])
		counter = [4]uint32{
			uint32(b>>32) ^ counter[1] ^ key[0], uint32(b),
			uint32(a>>32) ^ counter[3] ^ key[1], uint32(a),
		}
		key[0] += weyl0
		key[1] += weyl1
	}
	return counter
}

// Mask is the dropout mask of one layer in one training step.
type Mask struct {
	Seed  uint64
	Layer uint32
	Step  uint64
	Rate  float64
}

// Scale is what kept values are multiplied by.
func (m Mask) Scale() float32 { return float32(1 / (1 - m.Rate)) }

// Apply writes x under the mask to y, scaled; they have one length, less than
// 2³⁴, and may be the same slice.
func (m Mask) Apply(y, x []float32) {
	key := [2]uint32{uint32(m.Seed), uint32(m.Seed >> 32)}
	rate, scale := float32(m.Rate), m.Scale()
	var words [4]uint32
	for i, v := range x {
		if i%4 == 0 {
			words = Block([4]uint32{uint32(i / 4), m.Layer, uint32(m.Step), uint32(m.Step >> 32)}, key)
		}
		y[i] = 0
		if float32(words[i%4]>>8)*(1.0/(1<<24)) >= rate {
			y[i] = v * scale
		}
	}
}
