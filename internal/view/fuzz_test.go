package view

import (
	"encoding/json"
	"testing"

	"moncae/internal/run"
	"moncae/internal/score"
)

// FuzzUsed shows whatever a kept table says.
func FuzzUsed(f *testing.F) {
	f.Add([]byte(`{"format":"moncae.classify.run","version":1,"head":"linear","test_openings":2,"members":[{"id":"g0-1","latent":[1,2,3],"pca":{"accuracy":0.5}}]}`))
	f.Add([]byte(`{"format":"moncae.classify.run","version":1,"paper":{"here":{"bce":1},"members":2}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var table score.Table
		if json.Unmarshal(text, &table) != nil {
			return
		}
		used := UsedOf(&run.Run{}, []score.Table{table})
		if len(used.Tables) != 1 || len(used.Tables[0].Rows) < len(table.Members) || len(used.Heads) != len(table.Members) {
			t.Errorf("%d members, shown are %+v", len(table.Members), used)
		}
	})
}
