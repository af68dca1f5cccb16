//go:build onednn && cgo && linux

// Package heapcount counts what C and C++ code takes from the heap, for tests:
// a binary that imports it has malloc and operator new replaced by ones that
// count, and then do what the C library's do. Uncounted, they cost a branch.
package heapcount

/*
#cgo CXXFLAGS: -O2 -std=c++17 -Wall
#include "heapcount.h"
*/
import "C"

import "runtime"

// Count is how often the heap was asked, by who asked.
type Count struct {
	OneDNN int // calls out of libdnnl
	Others int // all others: the engine's own code, and libraries that it calls
}

// During counts what f takes on the calling goroutine's thread.
func During(f func()) Count {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.hc_start()
	f()
	c := C.hc_stop()
	return Count{OneDNN: int(c.onednn), Others: int(c.others)}
}

// TakeOne takes memory and gives it back, as C++ code does.
func TakeOne() { C.hc_take_one() }
