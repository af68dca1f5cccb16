//go:build nvidia && linux && amd64

package kernels_test

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/cuda/kernels"
	"moncae/internal/engine/cuda/plan"
	"moncae/internal/graph"
	"moncae/tests/kernels/ptx"
)

var write = flag.Bool("write", false, "write table.csv anew")

// batch is that of the steps.
const batch = 256

// device is that of the code whose registers the model counts.
const device = "sm_90"

type kernelSize struct{ registers, shared int }

func sizes(t *testing.T) map[string]kernelSize {
	t.Helper()
	f, err := os.Open("../../internal/engine/cuda/kernels/sizes.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]kernelSize{}
	for _, row := range rows[1:] {
		if row[1] == device {
			all[row[0]] = kernelSize{number(t, row[3]), number(t, row[4])}
		}
	}
	return all
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parsed(t *testing.T) map[string]*ptx.Kernel {
	t.Helper()
	all := map[string]*ptx.Kernel{}
	for name, code := range kernels.PTX() {
		of, err := ptx.Parse(code)
		if err != nil {
			t.Fatalf("%s.ptx: %v", name, err)
		}
		for name, k := range of {
			all[name] = k
		}
	}
	return all
}

type everything struct{}

func (everything) Choose(plan.Problem) (int64, bool) { return 0, true }

// modes are how a network is trained: on own kernels alone, and with cuDNN in bfloat16.
var modes = map[string]plan.Options{"f32": {Optimizer: arch.Adam}, "bf16": {Optimizer: arch.Adam, Half: true, CuDNN: everything{}}}

func step(t *testing.T, network string, o plan.Options) *plan.Plan {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../internal/arch/testdata", network+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var a arch.Arch
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	net, err := graph.Autoencoder(a, batch, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(net, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// memory is a device's for a plan: every region at an address of its own, and zero.
func memory(p *plan.Plan) (ptx.Memory, map[plan.Region]uint64) {
	var m ptx.Memory
	at := map[plan.Region]uint64{}
	for r := plan.Arena; r < plan.Null; r++ {
		size := int64(p.Layout.Total+1024) * 4
		switch r {
		case plan.Arena:
			size = p.Bytes
		case plan.Source:
			size = batch * 1 << 16
		}
		at[r] = (uint64(r) + 1) << 40
		m = append(m, ptx.Piece{Base: at[r], Bytes: make([]byte, size+4096)})
	}
	copy(m[plan.Sums].Bytes, plan.Table(p.Sums(), func(r plan.Ref) uint64 { return address(p, at, r) }))
	return m, at
}

// sample are blocks that stand for a launch: its ends and its middle; all, where they
// have different work.
func sample(l plan.Launch) []int {
	grid := l.Grid[0] * l.Grid[1] * l.Grid[2]
	if l.Sums != nil {
		all := make([]int, grid)
		for i := range all {
			all[i] = i
		}
		return all
	}
	all := []int{0, grid / 3, grid / 2, grid - 1}
	slices.Sort(all)
	return slices.Compact(all)
}

// address is where a place is; null is 0.
func address(p *plan.Plan, at map[plan.Region]uint64, r plan.Ref) uint64 {
	if r.In == plan.Null {
		return 0
	}
	return at[r.In] + uint64(p.Offset(r))
}

// arguments are a launch's, as the driver passes them.
func arguments(p *plan.Plan, at map[plan.Region]uint64, l plan.Launch) []uint64 {
	args := make([]uint64, len(l.Args))
	for i, a := range l.Args {
		args[i] = plan.Bits(a, func(r plan.Ref) uint64 { return address(p, at, r) })
	}
	return args
}

// estimated runs blocks of a launch.
func estimated(p *plan.Plan, m ptx.Memory, at map[plan.Region]uint64, l plan.Launch, k *ptx.Kernel, size kernelSize) (estimate, error) {
	grid := l.Grid[0] * l.Grid[1] * l.Grid[2]
	count, err := k.Run(m, ptx.Grid{Blocks: l.Grid, Threads: [3]int{l.Block, 1, 1}}, arguments(p, at, l), sample(l))
	if err != nil {
		return estimate{}, err
	}
	return of(l, count, grid, touched(p, at, l, count, grid), size), nil
}

// touched are the bytes of each array that the whole launch reads or writes: the
// sample's, as many times as the launch is larger, where the array has so many.
func touched(p *plan.Plan, at map[plan.Region]uint64, l plan.Launch, count ptx.Count, grid int) map[plan.Ref]int64 {
	bytes := map[plan.Ref]int64{}
	for _, ref := range plan.Refs(l) {
		if _, counted := bytes[ref]; counted || ref.In == plan.Null || ref.In == plan.Base {
			continue
		}
		size := extent(p, l, ref)
		first := address(p, at, ref)
		n := int64(0)
		for s := range count.Touched {
			if s*sector >= first/sector*sector && s*sector < first+uint64(size) {
				n += sector
			}
		}
		bytes[ref] = min(size, n*int64(grid)/int64(count.Blocks))
	}
	return bytes
}

// extent is how many bytes a launch may find at a place.
func extent(p *plan.Plan, l plan.Launch, ref plan.Ref) int64 {
	for _, s := range l.Sums {
		switch ref {
		case s.From:
			return s.Bytes()
		case s.To:
			return int64(s.Width) * 4
		}
	}
	switch ref.In {
	case plan.Arena:
		return p.Size(ref)
	case plan.Source:
		return int64(p.Net.Batch * p.Net.Output.Values())
	}
	return int64(p.Layout.Total) * 4
}

// row is a launch of a step in the table.
type row struct {
	network, mode, kernel, sizes, limit    string
	place, blocks, bytes, products, issued int
	bound, modelled                        string // microseconds
	ratio                                  float64
}

var header = []string{"network", "mode", "place", "kernel", "sizes", "blocks", "bytes", "multiply_adds", "instructions", "bound_us", "modelled_us", "limit"}

func (r row) fields() []string {
	return []string{r.network, r.mode, strconv.Itoa(r.place), r.kernel, r.sizes, strconv.Itoa(r.blocks), strconv.Itoa(r.bytes), strconv.Itoa(r.products),
		strconv.Itoa(r.issued), r.bound, r.modelled, r.limit}
}

// rows are those of a step; kernels that cuDNN has stand with their bound alone.
func rows(t *testing.T, network, mode string) (all []row) {
	t.Helper()
	of, size := parsed(t), sizes(t)
	p := step(t, network, modes[mode])
	m, at := memory(p)
	for place, s := range p.Train {
		r := row{network: network, mode: mode, place: place}
		var e estimate
		switch s := s.(type) {
		case plan.Launch:
			var err error
			if e, err = estimated(p, m, at, s, of[s.Kernel], size[s.Kernel]); err != nil {
				t.Fatal(err)
			}
			r.kernel, r.sizes, r.blocks = s.Kernel, shape(s), s.Grid[0]*s.Grid[1]*s.Grid[2]
			r.modelled, r.limit, r.ratio = micro(e.modelled), e.limit, e.modelled/e.bound
		case plan.Conv:
			e = ofConvolution(s)
			r.kernel, r.sizes = "cuDNN "+s.Kind.String(), s.Geometry.String()
		}
		r.bytes, r.products, r.issued, r.bound = int(e.bytes), int(e.products), int(e.issued), micro(e.bound)
		all = append(all, r)
	}
	return all
}

func shape(l plan.Launch) string {
	var all []string
	for _, a := range l.Args {
		switch a := a.(type) {
		case int32, uint32:
			all = append(all, fmt.Sprint(a))
		}
	}
	return strings.Join(all, " ")
}

// within is how many times its bound the model may give a kernel.
const within = 3

// TestTable holds the table against the kernels, and each kernel against its bound. Where
// -write isn't given it leaves out the largest matrix products, which take minutes.
func TestTable(t *testing.T) {
	const file = "table.csv"
	if *write {
		writeTable(t, file)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for _, line := range lines[1:] {
		table[strings.Join(line[:3], " ")] = line
	}
	for _, of := range [][2]string{{"small", "f32"}, {"small", "bf16"}, {"medium", "bf16"}, {"large", "bf16"}} {
		for _, r := range rows(t, of[0], of[1]) {
			if got, want := r.fields(), table[strings.Join(r.fields()[:3], " ")]; !slices.Equal(got, want) {
				t.Errorf("%s says\n%v, the kernels\n%v: look whether that is wanted, then make kernels-table", file, want, got)
			}
		}
	}
	for _, line := range lines[1:] {
		if line[10] == "" {
			continue
		}
		bound, modelled := decimal(t, line[9]), decimal(t, line[10])
		if modelled > within*bound {
			t.Errorf("%v: %.1f times its bound, %d are wanted", line[:5], modelled/bound, within)
		}
	}
}

func decimal(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func writeTable(t *testing.T, file string) {
	t.Helper()
	var text strings.Builder
	w := csv.NewWriter(&text)
	lines := [][]string{header}
	for _, network := range []string{"small", "medium", "large"} {
		for _, mode := range []string{"f32", "bf16"} {
			var bound, modelled float64
			for _, r := range rows(t, network, mode) {
				lines = append(lines, r.fields())
				if r.modelled != "" {
					bound += decimal(t, r.bound)
					modelled += decimal(t, r.modelled)
				}
			}
			t.Logf("%s %s: the step's own kernels are modelled as %.0f µs, bound by %.0f", network, mode, modelled, bound)
		}
	}
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
