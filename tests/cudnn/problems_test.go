// Package cudnn_test holds against a table what cuDNN chooses for the convolutions
// of random networks, on devices that are described to it: no GPU takes part.
//
// `make cudnn-table` writes the table anew, which takes hours; `make test-cuda`
// makes a part of its choices again.
package cudnn_test

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/cuda/plan"
	"moncae/internal/graph"
	"moncae/search/genome"
)

// networks are how many the table's convolutions are of.
const networks = 300

// asked notes which convolutions a plan wants of cuDNN.
type asked struct {
	seen map[plan.Problem]bool
	list []plan.Problem
}

func (a *asked) Choose(p plan.Problem) (int64, bool) {
	p.Half, p.Exact = false, false
	if !a.seen[p] {
		a.seen[p] = true
		a.list = append(a.list, p)
	}
	return 0, true
}

// problems are the different convolutions of the first n networks, in no precision
// yet: of both search spaces, grey digits and small colour photographs, in the
// presets' batches.
func problems(t *testing.T, n int) []plan.Problem {
	t.Helper()
	a := &asked{seen: map[plan.Problem]bool{}}
	for i := range n {
		space, batch := genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 32}, 16
		if i%2 == 1 {
			space, batch = genome.Space{Name: genome.Paper, MaxBlocks: 6, MaxFilters: 64}, 256
		}
		input := arch.Shape{C: 1, H: 28, W: 28}
		if i/2%2 == 1 {
			input = arch.Shape{C: 3, H: 32, W: 32}
		}
		net, err := graph.Autoencoder(draw(space, input, i), batch, graph.BCE, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.New(net, plan.Options{Optimizer: arch.SGD, CuDNN: a, TF32: true}); err != nil {
			t.Fatal(err)
		}
	}
	return a.list
}

// draw takes the first network of its seed that can be built.
func draw(space genome.Space, input arch.Shape, seed int) arch.Arch {
	rng := rand.New(rand.NewPCG(uint64(seed), 19))
	for {
		if a, _, err := space.Decode(space.Random(rng), input, genome.Limits{}); err == nil {
			return a
		}
	}
}

// TestTableHasEveryConvolution: the table is of the networks that this code draws.
func TestTableHasEveryConvolution(t *testing.T) {
	rows := table(t)
	if len(rows) < networks {
		t.Fatalf("the table has %d convolutions", len(rows))
	}
	for _, p := range problems(t, 20) {
		if rows[named(p)] == nil {
			t.Errorf("%v is not in the table", p.Geometry)
		}
	}
}

// named is a problem's key in the table: its kind and numbers.
func named(p plan.Problem) string {
	return fmt.Sprintf("%s,%d,%d,%d,%d,%d,%d,%d,%d,%d", [...]string{"forward", "dx", "dw"}[p.Kind], p.N, p.H, p.W, p.C, p.YH, p.YW, p.O, p.Kernel, p.Stride)
}

// keys are how many cells of the table are the key.
const keys = 10

// table reads the cells of the table behind each key: devices, and their precisions.
func table(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open("table.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, r := range records[1:] {
		rows[strings.Join(r[:keys], ",")] = r[keys:]
	}
	return rows
}
