package cli

import "runtime"

// spareProcessors gives Go's scheduler more processors than the workers of a
// compression, and says how many those are, until the function that it gives is
// called. A goroutine within ONNX Runtime keeps a processor; where none is idle,
// the scheduler takes it away in each run of a batch and starts a thread that
// looks for work and finds none, at a seventh of the throughput. This is the
// program's business: the package compress leaves the process as it is.
func spareProcessors(workers *int) (restore func()) {
	before := runtime.GOMAXPROCS(0)
	if *workers <= 0 {
		*workers = before
	}
	runtime.GOMAXPROCS(before + *workers)
	return func() { runtime.GOMAXPROCS(before) }
}
