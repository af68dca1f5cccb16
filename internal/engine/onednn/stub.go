//go:build !onednn || !cgo

package onednn

import (
	"moncae/internal/engine"
	"moncae/internal/fault"
)

// New says that this build has no oneDNN.
func New() (engine.Engine, error) {
	return nil, fault.Missingf("this moncae was built without oneDNN: build it with `make` on linux/amd64, which passes the tag onednn")
}
