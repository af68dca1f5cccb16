// Package philox is the counter-based generator Philox4x32-10 (Salmon, Moraes,
// Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and what
// dropout and the noise of denoising make of it.
//
// A number depends on a key and a counter alone, so every engine can compute
// any value of a mask by itself, in any order. The definition that all engines
// share:
//
//   - the key is the 64-bit seed, low word first;
//   - the counter is (i/4, layer, step's low word, step's high word) for value i
//     of the activation in NCHW order, batch included;
//   - value i takes output word i%4; of words u(word) = float32(word>>8)·2⁻²⁴ is used;
//   - dropout keeps it if u ≥ float32(rate); kept values are multiplied, in float32,
//     by float32(1/(1−rate));
//   - noise is normal by Box and Muller (1958): of words a, b of a pair (0 and 1, or 2 and
//     3), with r = √(−2·ln(u(a)+2⁻²⁴)), values i and i+1 get float32(σ)·r·cos(2π·u(b)) and
//     float32(σ)·r·sin(2π·u(b)) more, and are clamped to [0, 1].
//
// Nothing is allocated; a block of four numbers costs about 10 ns.
package philox

import "math"

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
	rate, scale := float32(m.Rate), m.Scale()
	var words [4]uint32
	for i, v := range x {
		if i%4 == 0 {
			words = wordsOf(i, m.Layer, m.Step, m.Seed)
		}
		y[i] = 0
		if unit(words[i%4]) >= rate {
			y[i] = v * scale
		}
	}
}

// Noise is what one training step adds to its images.
type Noise struct {
	Seed  uint64
	Layer uint32
	Step  uint64
	Sigma float64
}

// Apply writes x with noise, clamped to [0, 1], to y; they have one length, less than
// 2³⁴, and may be the same slice.
func (n Noise) Apply(y, x []float32) {
	sigma := float64(float32(n.Sigma))
	var normal [4]float64
	for i, v := range x {
		if i%4 == 0 {
			words := wordsOf(i, n.Layer, n.Step, n.Seed)
			normal[0], normal[1] = normals(words[0], words[1])
			normal[2], normal[3] = normals(words[2], words[3])
		}
		y[i] = min(max(float32(float64(v)+sigma*normal[i%4]), 0), 1)
	}
}

// wordsOf are the numbers of values i … i+3.
func wordsOf(i int, layer uint32, step, seed uint64) [4]uint32 {
	return Block([4]uint32{uint32(i / 4), layer, uint32(step), uint32(step >> 32)}, [2]uint32{uint32(seed), uint32(seed >> 32)})
}

// unit is a word as a number in [0, 1).
func unit(word uint32) float32 { return float32(word>>8) * (1.0 / (1 << 24)) }

// normals are two independent normal numbers.
func normals(a, b uint32) (float64, float64) {
	r := math.Sqrt(-2 * math.Log(float64(unit(a))+1.0/(1<<24)))
	sin, cos := math.Sincos(2 * math.Pi * float64(unit(b)))
	return r * cos, r * sin
}
