package engine

// Peaker is an engine that can measure what one of its devices does at best: a copy within
// its memory, and a large matrix product.
type Peaker interface {
	Peaks(p Precision) (Peaks, error)
}

// Peaks are rates a second of one device.
type Peaks struct {
	Bytes   float64 // read and written
	MACs    float64 // multiply-adds
	Devices int     // of this kind that the engine has
}

// Costed is a program that knows what the steps of a training step can't do without.
type Costed interface {
	StepCosts() []Cost
}

// Cost is what a step has to read and write, and to multiply and add.
type Cost struct{ Bytes, MACs int64 }

// Bound is the least time, in seconds, that steps of these costs take one after another on
// a device with these peaks, whatever it takes to start them.
func (p Peaks) Bound(steps []Cost) (seconds float64) {
	for _, c := range steps {
		seconds += max(float64(c.Bytes)/p.Bytes, float64(c.MACs)/p.MACs)
	}
	return seconds
}
