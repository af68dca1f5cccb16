package engine

// Profiler is a program that can time the steps that a training step is made of.
type Profiler interface {
	// Profile starts timing. Times gives the processor seconds of each since the
	// start or the last call, and GemmPeak the gigaflops (two a multiply-add) of a
	// large matrix product on one thread, in the training's precision.
	Profile()
	Times() []StepTime
	GemmPeak() float64
}

// StepTime is one step's processor time.
type StepTime struct {
	Step    string
	Seconds float64
	MACs    int64 // multiply-adds a training step
}
