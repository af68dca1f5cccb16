package arch

// ParamCount is the number of trained parameters.
func (a Arch) ParamCount() int {
	n := 0
	for _, p := range a.Params() {
		if p.Trained() {
			n += p.Size()
		}
	}
	return n
}

// FLOPs are the multiply-adds of one image's way through encoder and decoder,
// counted in convolutions (padding too) and dense layers.
func (a Arch) FLOPs() int64 {
	return a.Encoder.FLOPs(a.Input) + a.Decoder.FLOPs(a.Latent())
}

// FLOPs are the multiply-adds of one image's way through the stack.
func (s Stack) FLOPs(in Shape) int64 {
	shapes := s.mustShapes(in)
	var n int64
	for i, l := range s {
		switch x, y := shapes[i], shapes[i+1]; l.Kind {
		case Conv:
			n += int64(y.Values()) * int64(x.C) * int64(l.Kernel*l.Kernel)
		case Transpose:
			n += int64(x.Values()) * int64(y.C) * int64(l.Kernel*l.Kernel)
		case Dense:
			n += int64(y.Values()) * int64(x.Values())
		}
	}
	return n
}

// TrainingBytes estimates the memory of a training at the given batch size:
// every activation and its gradient once, four copies of the parameters. It is
// an upper bound for an engine that reuses buffers.
func (a Arch) TrainingBytes(batch int) int64 {
	var values int64
	for _, s := range a.Encoder.mustShapes(a.Input) {
		values += int64(s.Values())
	}
	for _, s := range a.Decoder.mustShapes(a.Latent()) {
		values += int64(s.Values())
	}
	return 4 * (2*values*int64(batch) + 4*int64(a.ParamCount()))
}
