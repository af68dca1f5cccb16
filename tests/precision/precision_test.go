// Package precision_test holds trainings in a coarse precision against float32's.
//
// Networks are drawn from the search spaces with their own recipes, each trained
// several times both ways from the same seeds. What counts is measured in float32
// either way: the BCE above the pixels' entropy floor, which no reconstruction
// goes below, and the MSE, on images apart from the training's. The mean over the
// networks of the relative difference must be small, and no network's difference
// large beside what its seed alone makes of it.
//
// `make precision` is the long form: 30 networks, five seeds. Finished trainings
// are kept in -out, and not made again by the same test binary.
package precision_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/engine/onednn"
	"moncae/internal/graph"
	"moncae/internal/train"
	"moncae/search/genome"
)

var (
	device    = flag.String("device", "cpu", "cpu or cuda")
	precision = flag.String("precision", "bf16", "held against f32")
	networks  = flag.Int("networks", 2, "drawn")
	seeds     = flag.Int("seeds", 2, "trainings of each, both ways")
	rows      = flag.Int("rows", 1000, "training images")
	epochs    = flag.Int("epochs", 2, "of each training")
	full      = flag.Bool("full", false, "MNIST and CIFAR-10 (MONCAE_DATA) instead of the built-in digits, and the full form's bars")
	out       = flag.String("out", "", "file that finished trainings are kept in")
)

const (
	batch      = 32
	apart      = 1000 // images that are measured
	maxFLOPs   = 2000 // multiply-adds a pixel, as preset quick has it
	meanWithin = 0.02 // of the float32 trainings' own
	seedsApart = 2    // standard deviations over seeds
	looseMean  = 0.1  // of the short form, whose trainings are few and short
)

// trained is one training's record.
type trained struct {
	Binary    string           `json:"binary"` // of the test that made it
	Network   int              `json:"network"`
	Precision engine.Precision `json:"precision"`
	Seed      uint64           `json:"seed"`
	Excess    float64          `json:"excess_bce"`
	MSE       float64          `json:"mse"`
	Failure   string           `json:"failure,omitempty"`
}

func (a trained) same(b trained) bool {
	return a.Binary == b.Binary && a.Network == b.Network && a.Precision == b.Precision && a.Seed == b.Seed
}

func TestCoarseTrainingsAreAsGood(t *testing.T) {
	eng := open(t)
	defer eng.Close()
	coarse := engine.Precision(*precision)
	if !slices.Contains(eng.Info().Precisions, coarse) {
		t.Skipf("%s does not train in %s", eng.Info().Device, coarse)
	}
	l := newLedger(t, *out)
	var excess, mse []float64
	for i := range *networks {
		n := draw(t, i)
		a, b := n.train(t, eng, l, engine.Float32), n.train(t, eng, l, coarse)
		if a == nil || b == nil {
			continue
		}
		for _, measure := range []struct {
			name string
			of   func(trained) float64
			all  *[]float64
		}{
			{"excess BCE", func(r trained) float64 { return r.Excess }, &excess},
			{"MSE", func(r trained) float64 { return r.MSE }, &mse},
		} {
			was, deviation := spread(a, measure.of)
			is, _ := spread(b, measure.of)
			t.Logf("network %d (%s, %d parameters): %s %.5f, in %s %+.2f %%, %+.2f deviations", i, n.set, n.arch.ParamCount(), measure.name, was, coarse, 100*(is-was)/was, (is-was)/deviation)
			*measure.all = append(*measure.all, (is-was)/was)
			if *full && math.Abs(is-was) > seedsApart*deviation {
				t.Errorf("network %d: %s is %.5f in f32 and %.5f in %s; its seeds deviate by %.5f", i, measure.name, was, is, coarse, deviation)
			}
		}
	}
	within := looseMean
	if *full {
		within = meanWithin
	}
	for name, d := range map[string][]float64{"excess BCE": excess, "MSE": mse} {
		m := mean(d)
		t.Logf("%s: mean difference %+.2f %% over %d networks", name, 100*m, len(d))
		if !(math.Abs(m) <= within) {
			t.Errorf("%s is %+.2f %% off in %s, at most %.0f %% is allowed", name, 100*m, coarse, 100*within)
		}
	}
}

func open(t *testing.T) engine.Engine {
	make := map[string]func() (engine.Engine, error){"cpu": onednn.New, "cuda": func() (engine.Engine, error) { return cuda.Open() }}[*device]
	if make == nil {
		t.Fatalf("-device %s is none of cpu and cuda", *device)
	}
	eng, err := make()
	if err != nil {
		t.Skip(err)
	}
	return eng
}

// network is one that was drawn, with its data.
type network struct {
	number int
	set    string
	arch   arch.Arch
	recipe arch.Recipe
	data   *dataset.Set
}

var loaded = map[string]*dataset.Set{}

// draw takes the first network of its seed that is small enough.
func draw(t *testing.T, i int) network {
	t.Helper()
	n := network{number: i, set: "mnist-mini"}
	space := genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 16}
	if i%2 == 1 {
		space = genome.Space{Name: genome.Paper, MaxBlocks: 6, MaxFilters: 64}
	}
	if *full {
		n.set = []string{"mnist", "cifar10"}[i/2%2]
	}
	if loaded[n.set] == nil {
		set, err := dataset.Load(t.Context(), n.set, dataset.Options{Limit: *rows + apart})
		if err != nil {
			t.Fatal(err)
		}
		loaded[n.set] = set
	}
	n.data = loaded[n.set]
	rng := rand.New(rand.NewPCG(uint64(i), 22))
	for {
		a, recipe, err := space.Decode(space.Random(rng), n.data.Shape, genome.Limits{FLOPs: maxFLOPs * int64(n.data.Shape.H*n.data.Shape.W)})
		if err == nil {
			n.arch, n.recipe = a, recipe
			return n
		}
	}
}

// train gives the records of all seeds, nil where the network can't be trained.
func (n network) train(t *testing.T, eng engine.Engine, l *ledger, p engine.Precision) []trained {
	t.Helper()
	data, err := eng.Load(engine.Source{Shape: n.data.Shape, Images: n.data.Images})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	records, errs := make([]trained, *seeds), make([]error, *seeds)
	var group sync.WaitGroup
	room := make(chan struct{}, max(1, min(eng.Info().Workers, 2)))
	for s := range records {
		group.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			records[s], errs[s] = l.once(trained{Network: n.number, Precision: p, Seed: uint64(s + 1)}, func(r *trained) error { return n.run(t.Context(), eng, data, r) })
		})
	}
	group.Wait()
	for s, r := range records {
		if errs[s] != nil {
			t.Fatal(errs[s])
		}
		if r.Failure != "" {
			t.Logf("network %d in %s: %s", n.number, p, r.Failure)
			return nil
		}
	}
	return records
}

func (n network) run(ctx context.Context, eng engine.Engine, data engine.Data, r *trained) error {
	numbers := make([]int32, n.data.Rows())
	for i := range numbers {
		numbers[i] = int32(i)
	}
	learned := numbers[:len(numbers)-apart]
	tested := numbers[len(learned):]
	out, err := train.Autoencoder(ctx, eng, data, n.arch, n.recipe, train.Options{
		Epochs: *epochs, Batch: batch, Seed: r.Seed, Loss: graph.BCE, Precision: r.Precision, Train: learned, Validation: tested,
	})
	if err != nil {
		return err
	}
	r.Failure = out.Failure
	r.Excess, r.MSE = out.Metrics.BCE-dataset.StatsOf(n.data, tested).Floor, out.Metrics.MSE
	return nil
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func spread(records []trained, of func(trained) float64) (m, deviation float64) {
	v := make([]float64, len(records))
	for i, r := range records {
		v[i] = of(r)
	}
	m = mean(v)
	for _, x := range v {
		deviation += (x - m) * (x - m) / float64(len(v)-1)
	}
	return m, math.Sqrt(deviation)
}

// ledger keeps finished trainings in a file, a line each.
type ledger struct {
	mutex  sync.Mutex
	binary string
	done   []trained
	file   io.Writer
}

func newLedger(t *testing.T, path string) *ledger {
	t.Helper()
	l := &ledger{file: io.Discard}
	if path == "" {
		return l
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(fmt.Append(code, *rows, *epochs, *full))
	l.binary = hex.EncodeToString(sum[:8])
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r trained
		if json.Unmarshal(lines.Bytes(), &r) == nil { // a killed test's last line may be torn
			l.done = append(l.done, r)
		}
	}
	if _, err := fmt.Fprintln(f); err != nil {
		t.Fatal(err)
	}
	l.file = f
	return l
}

// once makes a training that was not made before.
func (l *ledger) once(r trained, make func(*trained) error) (trained, error) {
	r.Binary = l.binary
	l.mutex.Lock()
	i := slices.IndexFunc(l.done, r.same)
	if i >= 0 {
		r = l.done[i]
	}
	l.mutex.Unlock()
	if i >= 0 {
		return r, nil
	}
	if err := make(&r); err != nil {
		return r, err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	_, err = fmt.Fprintf(l.file, "%s\n", line)
	return r, err
}
