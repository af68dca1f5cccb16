// Package ref is the engine without cgo: Gorgonia's tape machine over the
// pure-Go kernels of internal/ops. It says what every op means; other engines
// are checked against it.
//
// It keeps the promises of package engine but one: the tape machine allocates in
// every step. It is slow, about 10⁹ multiply-adds a second and core, and runs on
// one core a program; ops sum in float64 and store float32.
package ref

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	_ "go4.org/unsafe/assume-no-moving-gc" // Gorgonia panics on this Go with the version it asks for

	"moncae/internal/engine"
	"moncae/internal/graph"
)

// Engine runs programs on the CPU, in Go.
type Engine struct {
	compiling sync.Mutex // nets may be shared, and cloning reads them
}

// New makes the engine. It can't fail.
func New() *Engine { return &Engine{} }

var precisions = []engine.Precision{engine.Float32}

// Info describes the engine; the version is Gorgonia's.
func (e *Engine) Info() engine.Info {
	version := "gorgonia"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == "gorgonia.org/gorgonia" {
				version += " " + m.Version
			}
		}
	}
	device := fmt.Sprintf("Go on %s/%s", runtime.GOOS, runtime.GOARCH)
	return engine.Info{
		Name: "ref", Version: version, Device: device, Workers: runtime.GOMAXPROCS(0),
		Model: "Go", ISA: runtime.GOARCH, Precisions: precisions,
	}
}

// Load checks d and keeps it where it is.
func (e *Engine) Load(d engine.Source) (engine.Data, error) {
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("ref: %w", err)
	}
	return data{d}, nil
}

// Close does nothing.
func (e *Engine) Close() error { return nil }

type data struct{ source engine.Source }

func (d data) Source() engine.Source { return d.source }
func (d data) Close() error          { return nil }

// Compile makes a program; net stays as it is and may be compiled again.
func (e *Engine) Compile(net *graph.Net, d engine.Data, cfg engine.Config) (engine.Program, error) {
	if err := engine.CheckCompile(net, d.Source(), cfg, precisions); err != nil {
		return nil, fmt.Errorf("ref: %w", err)
	}
	e.compiling.Lock()
	defer e.compiling.Unlock()
	p, err := newProgram(net, d.Source(), cfg)
	if err != nil {
		return nil, fmt.Errorf("ref: compile: %w", err)
	}
	return p, nil
}
