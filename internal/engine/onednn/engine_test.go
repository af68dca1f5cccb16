//go:build onednn && cgo

package onednn

import (
	"testing"

	"moncae/internal/engine"
	"moncae/internal/engine/enginetest"
	"moncae/internal/engine/onednn/native"
)

func open(t *testing.T) engine.Engine {
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) { enginetest.Run(t, open, enginetest.Tolerances{}) }

func TestEngineInBFloat16(t *testing.T) {
	if !native.BF16() {
		t.Skip("this processor does not compute in bfloat16")
	}
	enginetest.Run(t, open, enginetest.Tolerances{Precision: engine.BFloat16, Value: 4. / 256, Gradient: 12. / 256})
}
