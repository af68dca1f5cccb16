package npy

import (
	"math"

	"moncae/internal/half"
)

// value is the number at the beginning of b. 64-bit integers beyond 2^53 lose
// digits, and are no pixel and no label anyway.
func (h header) value(b []byte) float64 {
	switch {
	case h.kind == 'f' && h.width == 2:
		return float64(half.Value(h.order.Uint16(b)))
	case h.kind == 'f' && h.width == 4:
		return float64(math.Float32frombits(h.order.Uint32(b)))
	case h.kind == 'f':
		return math.Float64frombits(h.order.Uint64(b))
	}
	signed := h.kind == 'i'
	switch h.width {
	case 1:
		if signed {
			return float64(int8(b[0]))
		}
		return float64(b[0])
	case 2:
		if v := h.order.Uint16(b); !signed {
			return float64(v)
		} else {
			return float64(int16(v))
		}
	case 4:
		if v := h.order.Uint32(b); !signed {
			return float64(v)
		} else {
			return float64(int32(v))
		}
	}
	if v := h.order.Uint64(b); !signed {
		return float64(v)
	} else {
		return float64(int64(v))
	}
}
