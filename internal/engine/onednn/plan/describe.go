package plan

import "fmt"

// Describe names step i by what it does and on which shapes.
func (p *Plan) Describe(i int) string {
	s := &p.Steps[i]
	x, y := p.ends(s)
	name := s.Kind.String()
	if s.Transposed {
		name = "transposed, by " + name
	}
	switch s.Kind {
	case Conv, ConvGradWeight, ConvGradInput, UpConv, UpConvGrad:
		return fmt.Sprintf("%s %d→%d %d×%d/%d at %d×%d", name, x.C, y.C, s.Kernel, s.Kernel, s.Stride, y.H, y.W)
	case Dense, DenseGradWeight, DenseGradInput:
		return fmt.Sprintf("%s %d→%d", name, x.C*x.H*x.W, y.C)
	case Point, PointGrad:
		for _, part := range []struct {
			on   bool
			name string
		}{
			{s.Before != 0, "activation"}, {s.Norm, "norm"}, {s.Act != 0, "activation"},
			{s.Resample == Pool, "pool"}, {s.Resample == Upsample, "upsample"},
		} {
			if part.on {
				name += " " + part.name
			}
		}
	}
	return fmt.Sprintf("%s %d×%d×%d", name, x.C, x.H, x.W)
}

// ends are the tensors on the forward pass's input and output side.
func (p *Plan) ends(s *Step) (x, y Tensor) {
	at := func(preferred ...int32) Tensor {
		for _, t := range preferred {
			if t != None {
				return p.Tensors[t]
			}
		}
		return Tensor{}
	}
	switch s.Kind {
	case ConvGradInput, DenseGradInput, PointGrad, DropoutGrad:
		return at(s.DX), at(s.DY)
	case BiasGrad:
		return at(s.DY), at(s.DY)
	case ConvGradWeight, DenseGradWeight, UpConvGrad:
		return at(s.X), at(s.DY)
	}
	return at(s.X, s.Y), at(s.Y, s.DX)
}

// MACs are the multiply-adds that step i computes, 0 where it is no linear layer.
func (p *Plan) MACs(i int) int64 {
	s := &p.Steps[i]
	x, y := p.ends(s)
	switch s.Kind {
	case Conv, ConvGradWeight, ConvGradInput:
		return int64(y.N*y.H*y.W) * int64(y.C*x.C) * int64(s.Kernel*s.Kernel)
	case UpConv, UpConvGrad:
		side := int64(s.Kernel/2 + 1)
		macs := int64(y.N*y.H*y.W) * int64(y.C*x.C) * side * side
		if s.DX != None {
			macs *= 2
		}
		return macs
	case Dense, DenseGradWeight, DenseGradInput:
		return int64(y.N*y.C) * int64(x.C*x.H*x.W)
	}
	return 0
}
