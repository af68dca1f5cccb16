package latent

import (
	"sync"

	"moncae/internal/onnx"
)

// halves are the values of all float16 numbers, by their bits.
var halves = sync.OnceValue(func() *[1 << 16]float32 {
	var t [1 << 16]float32
	for i := range t {
		t[i] = onnx.FromFloat16(uint16(i))
	}
	return &t
})
