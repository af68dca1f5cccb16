package search

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"testing"

	"moncae/internal/run"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// decisions are the hashes of what the algorithms decided, with the fake training
// and the configuration of the tests, when there was no seam between algorithms
// and runs: runs of then go on as they would have.
var decisions = map[string]string{
	algorithm.Moncae:  "e7a8a76c36df02b9",
	algorithm.SMSEMOA: "0b3dd56885e56d31",
	algorithm.NSGA2:   "ce3d66e2fce0a1de",
	algorithm.Random:  "165872ac3ee2a021",
}

func TestOldAlgorithmsDecideAsTheyDid(t *testing.T) {
	t.Parallel()
	for name, want := range decisions {
		c := config(t)
		c.Algorithm, c.Population, c.Generations = name, 12, 6
		c.Space, c.Patience = genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 16}, 1
		path := filepath.Join(t.TempDir(), "run")
		complete(t, create(t, path, c, Options{Jobs: 3}))
		r := open(t, path)
		hash := sha256.New()
		enc := json.NewEncoder(hash)
		for _, cand := range r.Candidates {
			loss := 0.0
			if cand.Search != nil {
				loss = cand.Search.Values[run.ObjectiveLoss]
			}
			if err := enc.Encode([]any{cand.ID, cand.Origin, cand.Parents, cand.Genome, cand.Failure, cand.Identity, loss}); err != nil {
				t.Fatal(err)
			}
		}
		if err := enc.Encode(open(t, path).Population); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(hash.Sum(nil)[:8]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
