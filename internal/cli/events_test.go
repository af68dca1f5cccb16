//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"moncae/internal/imagefile"
)

type told struct {
	Kind string `json:"kind"`
	Data any    `json:"data"`
}

// bars are 80 images of 8×8 as a .npy file: bars of random place and brightness.
func bars(t *testing.T) string {
	t.Helper()
	const n, side = 80, 8
	content := imagefile.NPYHeader("|u1", n, side, side)
	draw := rand.New(rand.NewPCG(46, 46))
	for range n {
		image := make([]byte, side*side)
		at, light := draw.IntN(side-1), byte(100+draw.IntN(150))
		for i := range 2 * side {
			image[at*side+i] = light
		}
		content = append(content, image...)
	}
	path := filepath.Join(t.TempDir(), "bars.npy")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tiny searches 80 images on the reference engine and tells to to, which it closes;
// it gives the exit code and what was written to stderr.
func tiny(t *testing.T, run string, to *os.File) (int, string) {
	t.Helper()
	fd, err := syscall.Dup(int(to.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	code := Main([]string{
		"search", "--run", run, "--device", "ref", "--population", "2", "--generations", "2", "--epochs", "1", "--finetune", "1", "--finetune-trial", "0",
		"--max-layers", "1", "--max-filters", "4", "--validation", "0.2", "--batch", "2", "--data", bars(t), "--reference", "2,1.8", "--no-export", "--events", strconv.Itoa(fd),
	}, Streams{Out: io.Discard, Err: &stderr})
	return code, stderr.String()
}

func lines(t *testing.T, path string) (all []told) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n")) {
		var one told
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

func TestEventsAreTheJournalsRecordsAndProgress(t *testing.T) {
	dir := t.TempDir()
	to, err := os.Create(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	if code, said := tiny(t, run, to); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}

	events := lines(t, to.Name())
	owed, seen, started := 0., 0., 0
	records := slices.DeleteFunc(slices.Clone(events), func(e told) bool {
		switch e.Kind {
		case "generation_started", "finetune_started":
			owed += e.Data.(map[string]any)["images"].(float64)
			started++
			return true
		case "progress":
			seen += e.Data.(map[string]any)["images"].(float64)
			return true
		}
		return false
	})
	journal := slices.DeleteFunc(lines(t, filepath.Join(run, "journal.jsonl")), func(e told) bool {
		return e.Kind == "created" || e.Kind == "front"
	})
	if !reflect.DeepEqual(records, journal) {
		t.Errorf("told %v\njournal %v", records, journal)
	}
	if owed != seen || started != 3 {
		t.Errorf("%v images were announced in %d places, %v trained", owed, started, seen)
	}
}

// A search whose reader is gone saves its state, as one whose terminal was closed does.
func TestASearchWithoutItsReaderSavesItsState(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	code, said := tiny(t, filepath.Join(t.TempDir(), "run"), write)
	done := code == 0 && strings.Contains(said, "broken pipe") // before the signal came
	if !done && (code != interrupted || !strings.Contains(said, "--resume")) {
		t.Errorf("exit code %d: %s", code, said)
	}
}
