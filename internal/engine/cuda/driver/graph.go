//go:build nvidia && linux && amd64

package driver

/*
#include <cuda.h>

static CUresult moncae_instantiate(CUgraphExec *exec, CUgraph graph) {
	return cuGraphInstantiateWithFlags(exec, graph, 0);
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// Graph is a recorded sequence of launches and copies that runs as one.
type Graph struct{ exec C.CUgraphExec }

func raw(s cu.Stream) C.CUstream { return C.CUstream(unsafe.Pointer(s.C())) }

// Capture records what enqueue puts on s as an executable graph; nothing runs.
func Capture(s cu.Stream, enqueue func() error) (*Graph, error) {
	if err := result(C.cuStreamBeginCapture(raw(s), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); err != nil {
		return nil, fmt.Errorf("beginning stream capture: %w", err)
	}
	enqueued := enqueue()
	var graph C.CUgraph
	err := result(C.cuStreamEndCapture(raw(s), &graph))
	if graph != nil {
		defer C.cuGraphDestroy(graph)
	}
	if enqueued != nil {
		return nil, enqueued
	}
	if err != nil {
		return nil, fmt.Errorf("ending stream capture: %w", err)
	}
	var g Graph
	if err := result(C.moncae_instantiate(&g.exec, graph)); err != nil {
		return nil, fmt.Errorf("making an executable graph: %w", err)
	}
	return &g, nil
}

// Launch runs the graph once, in order with the stream's other work.
func (g *Graph) Launch(s cu.Stream) error { return result(C.cuGraphLaunch(g.exec, raw(s))) }

// Close frees the graph; a nil Graph is fine.
func (g *Graph) Close() error {
	if g == nil || g.exec == nil {
		return nil
	}
	exec := g.exec
	g.exec = nil
	return result(C.cuGraphExecDestroy(exec))
}
