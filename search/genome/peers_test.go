package genome

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/arch"
)

var update = flag.Bool("update", false, "write testdata/peers anew")

// TestPeerNetworks: the networks that scripts/bench_peers.py measures beside small,
// medium and large are the first of seeds 1 to 20 in the paper's space with fewer
// than 10,000 multiply-adds a pixel, for 1×28×28 (odd seeds) and 3×32×32.
func TestPeerNetworks(t *testing.T) {
	space := Space{Name: Paper, MaxBlocks: 6, MaxFilters: 128}
	for seed := uint64(1); seed <= 20; seed++ {
		in := arch.Shape{C: 1, H: 28, W: 28}
		if seed%2 == 0 {
			in = arch.Shape{C: 3, H: 32, W: 32}
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		want, _, err := space.Decode(space.Random(rng), in, Limits{FLOPs: 10_000 * int64(in.H*in.W)})
		for err != nil {
			want, _, err = space.Decode(space.Random(rng), in, Limits{FLOPs: 10_000 * int64(in.H*in.W)})
		}
		path := filepath.Join("testdata", "peers", fmt.Sprintf("%02d.json", seed))
		text, err := json.MarshalIndent(want, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, append(text, '\n'), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != string(text)+"\n" {
			t.Errorf("%s (%v) is not the network of seed %d", path, err, seed)
		}
	}
}
