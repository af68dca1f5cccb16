package enginetest

import (
	"fmt"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
)

func (s *suite) testTransposed(t *testing.T) {
	seed := uint64(9000)
	try := s.tries(t, &seed)
	for i, side := range sides {
		in := arch.Shape{C: 1 + i%4, H: side[0], W: side[1]}
		for j, kernel := range []int{1, 3, 5, 7} {
			few, more := 1+(i+j)%3, 4+(i+2*j)%6
			try(1+j%3, fmt.Sprint("kernel ", kernel), in, arch.Stack{conv(2, 3, 2)}, arch.Stack{transposed(3, kernel, in.H, in.W), conv(in.C, 1, 1)})
			try(16+13*(i%2), fmt.Sprint("full vectors, kernel ", kernel), in, arch.Stack{conv(few, kernel, 2)},
				arch.Stack{transposed(more, kernel, in.H, in.W), activation(arch.SiLU), conv(in.C, kernel, 1)})
			if s.Precision != engine.BFloat16 { // where the norm of so few values is rounding
				try(1+j%3, fmt.Sprint("norm and activation, kernel ", kernel), in, arch.Stack{conv(5, 3, 2)},
					arch.Stack{transposed(2+i%5, kernel, in.H, in.W), batchNorm, activation(activations[i%len(activations)]), conv(in.C, 1, 1)})
			}
		}
	}
	in := arch.Shape{C: 4, H: 4, W: 6}
	half := conv(64, 3, 2)
	try(2, "logits", in, arch.Stack{half}, arch.Stack{transposed(in.C, 5, in.H, in.W)})
	try(3, "two, and a sum", in, arch.Stack{half, conv(6, 3, 2)}, arch.Stack{
		transposed(7, 5, 2, 3), activation(arch.ELU), transposed(20, 3, in.H, in.W), conv(20, 1, 1), {Kind: arch.Add, From: 3}, conv(in.C, 3, 1)})
}
