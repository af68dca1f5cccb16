package cli

import (
	"encoding/json"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// What a repair leaves out is trained again in the same bits, or the run stays as it is.
func TestRepairWantsTheEngineThatTheRunBeganOn(t *testing.T) {
	here := ref.New().Info().Class(engine.Float32)
	elsewhere := here
	elsewhere.Device = "another processor"
	for class, refused := range map[engine.Class]bool{here: false, elsewhere: true} {
		content, err := json.Marshal(class)
		if err != nil {
			t.Fatal(err)
		}
		err = new(app).canGoOn("r", rundir.Manifest{EngineClass: content})
		if (err != nil) != refused || refused && fault.Of(err) != fault.Usage {
			t.Errorf("%+v: %v", class, err)
		}
	}
}
