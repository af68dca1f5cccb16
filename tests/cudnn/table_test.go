//go:build nvidia && linux && amd64

package cudnn_test

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/plan"
)

var write = flag.String("write", "", "makes the whole table, keeping what is done in this `file`")

// sample is how many of the table's choices are made again.
const sample = 60

// devices are described as cuDNN describes them, by NVIDIA's data sheets.
var devices = []struct{ name, json string }{
	{"H100", description("NVIDIA H100 80GB HBM3", 900, 132, 2048, 32, 232448, 84929347584, 1980000, 52428800, 5120, 2619000)},
	{"A100", description("NVIDIA A100-SXM4-40GB", 800, 108, 2048, 32, 166912, 42505207808, 1410000, 41943040, 5120, 1215000)},
	{"RTX 3090", description("NVIDIA GeForce RTX 3090", 860, 82, 1536, 16, 101376, 25438126080, 1695000, 6291456, 384, 9751000)},
	{"RTX 4090", description("NVIDIA GeForce RTX 4090", 890, 128, 1536, 24, 101376, 25393692672, 2520000, 75497472, 384, 10501000)},
}

func description(name string, capability, multiprocessors, threads, blocks, shared, memory, clock, cache, bus, memoryClock int) string {
	return fmt.Sprintf(`{"deviceVer":%d,"multiProcessorCount":%d,"warpSize":32,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":%d,`+
		`"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":%d,"maxThreadsPerBlock":1024,"maxThreadsPerSM":%d,"regsPerBlock":65536,`+
		`"totalGlobalMem":%d,"smClockRateKHz":%d,"l2CacheSize":%d,"maxBlockSize":[1024,1024,64],"memoryBusWidth":%d,"memClockRateKHz":%d,`+
		`"maxGridSize":[2147483647,65535,65535],"supportCoopLaunch":1,"pciDeviceId":0,"isTccDriver":0,"cudaDeviceId":0,"driverVer":12080,"deviceName":"%s"}`,
		capability, multiprocessors, shared, blocks, threads, memory, clock, cache, bus, memoryClock, name)
}

// precisions are the table's columns of a device, as a problem has them.
var precisions = []struct{ half, exact bool }{{false, true}, {false, false}, {true, false}}

// described opens the real library, which scripts/test-cuda.sh names, and has it
// read the devices.
func described(t *testing.T) (version string, all []*cudnn.Device) {
	t.Helper()
	if os.Getenv("MONCAE_TEST_REAL_CUDNN") == "" {
		t.Skip("needs the real cuDNN: make test-cuda")
	}
	library, err := cudnn.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		device, err := library.Describe(d.json)
		if err != nil {
			t.Fatal(d.name, err)
		}
		t.Cleanup(func() {
			if err := device.Close(); err != nil {
				t.Error(err)
			}
		})
		all = append(all, device)
	}
	return library.Version(), all
}

// cell is a choice as the table has it: the engine's number, its rank (F: among the
// fallbacks), KiB of workspace, and T for tensor cores; "none" where nothing fits.
// The choice is checked by the rules that it must keep, whoever made it.
func cell(t *testing.T, on *cudnn.Device, p plan.Problem) string {
	t.Helper()
	c, err := on.Choose(p)
	if errors.Is(err, cudnn.ErrNone) {
		return "none"
	}
	if err != nil {
		t.Fatal(p, err)
	}
	if c.Workspace > 256<<20 || p.Exact && c.TensorCores {
		t.Errorf("%v: %+v", p, c)
	}
	text := fmt.Sprintf("%d #%d", c.Engine, c.Rank)
	if c.Fallback {
		text += "F"
	}
	if kib := (c.Workspace + 1023) / 1024; kib > 0 {
		text += fmt.Sprintf(" %dK", kib)
	}
	if c.TensorCores {
		text += " T"
	}
	return text
}

// TestTable makes choices of the table again, spread over its rows and columns, by
// the code that chooses for a real device.
func TestTable(t *testing.T) {
	_, on := described(t)
	rows := table(t)
	all := problems(t, networks)
	columns := len(devices) * len(precisions)
	for i := range sample {
		p := all[i*len(all)/sample]
		column := i * 7 % columns
		precision := precisions[column%len(precisions)]
		p.Half, p.Exact = precision.half, precision.exact
		want := rows[named(p)]
		if len(want) != columns {
			t.Fatalf("%v has %d columns in the table", p, len(want))
		}
		if got := cell(t, on[column/len(precisions)], p); got != want[column] {
			t.Errorf("%v on %s: cuDNN chooses %s, the table has %s", p, devices[column/len(precisions)].name, got, want[column])
		}
	}
}

// TestWriteTable makes every choice; what is in the file isn't made again.
func TestWriteTable(t *testing.T) {
	if *write == "" {
		t.Skip("make cudnn-table makes the table")
	}
	version, on := described(t)
	head := "kind,N,H,W,C,YH,YW,O,kernel,stride"
	for _, d := range devices {
		for _, precision := range []string{"f32", "tf32", "bf16"} {
			head += "," + d.name + " " + precision
		}
	}
	done := resume(t, *write, "cuDNN "+version)
	for _, p := range problems(t, networks) {
		if done.rows[named(p)] {
			continue
		}
		row := named(p)
		for _, device := range on {
			for _, precision := range precisions {
				p.Half, p.Exact = precision.half, precision.exact
				row += "," + cell(t, device, p)
			}
		}
		if _, err := fmt.Fprintln(done.file, row); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, *write, head)
}

// ledger is a file of rows that are made.
type ledger struct {
	file *os.File
	rows map[string]bool
}

// resume opens a file that was begun by the same library, or begins one.
func resume(t *testing.T, path, library string) ledger {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	l, whole := ledger{f, map[string]bool{}}, int64(0)
	for lines, first := bufio.NewReader(f), true; ; first = false {
		line, err := lines.ReadString('\n')
		if err != nil || first && line != library+"\n" { // the end, a torn line, or another library's table
			break
		}
		whole += int64(len(line))
		if parts := strings.Split(strings.TrimSpace(line), ","); len(parts) > keys {
			l.rows[strings.Join(parts[:keys], ",")] = true
		}
	}
	if err := f.Truncate(whole); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(whole, 0); err != nil {
		t.Fatal(err)
	}
	if whole == 0 {
		_, err = fmt.Fprintln(f, library)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// finish writes the table, in an order that doesn't depend on how it was made.
func finish(t *testing.T, path, head string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")[1:]
	slices.SortFunc(rows, cmp.Compare[string])
	if err := os.WriteFile("table.csv", []byte(head+"\n"+strings.Join(rows, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
}
