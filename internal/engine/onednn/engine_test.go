//go:build onednn && cgo

package onednn

import (
	"testing"

	"moncae/internal/engine"
	"moncae/internal/engine/enginetest"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) engine.Engine {
		e, err := New()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}, enginetest.Tolerances{})
}
