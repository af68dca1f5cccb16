package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

func manifest() Manifest {
	return Manifest{
		Run: "0123abcd", Moncae: "test", Seed: 46, Objectives: []string{"loss", "loc"}, Reference: []float64{0.26, 2.9},
		Config: json.RawMessage(`{"population":8}`), Data: Data{Name: "digits", Shape: arch.Shape{C: 1, H: 8, W: 8}, TrainRows: 9},
		ValidationIDs: []int64{2, 5},
	}
}

func network(id string) (Network, arch.Weights) {
	conv := arch.Layer{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}
	a := arch.Arch{Input: arch.Shape{C: 1, H: 8, W: 8}, Encoder: arch.Stack{conv}, Decoder: arch.Stack{conv}}
	w := arch.Weights{}
	for _, p := range a.Params() {
		w[p.Name] = make([]float32, p.Size())
		w[p.Name][0] = 0.25
	}
	return Network{ID: id, Arch: a, Recipe: arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.Constant}}, w
}

type result struct {
	ID      string `json:"id"`
	Network File   `json:"network"`
	Weights File   `json:"weights"`
}

// evaluate does what a search does for a candidate.
func evaluate(d *Dir, id string) error {
	n, w := network(id)
	networkFile, err := d.WriteNetwork(n)
	if err != nil {
		return err
	}
	weightsFile, err := d.WriteWeights(n, WeightsFile, w)
	if err != nil {
		return err
	}
	return d.Append("candidate", result{id, networkFile, weightsFile})
}

// run does what a search of two generations does.
func run(path string, fs durable.FS) (err error) {
	d, err := Create(path, manifest(), fs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for g := range 2 {
		if err := evaluate(d, fmt.Sprintf("g%d-0", g)); err != nil {
			return err
		}
		if err := d.WriteFront(fmt.Appendf(nil, `{"generation":%d}`, g)); err != nil {
			return err
		}
	}
	return nil
}

func mustRun(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	if err := run(path, durable.FS{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	path := mustRun(t)
	d, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := manifest()
	want.Format, want.Version = ManifestFormat, ManifestVersion
	d.Manifest.Config = want.Config // indented in the file
	if !reflect.DeepEqual(d.Manifest, want) {
		t.Errorf("manifest %+v, want %+v", d.Manifest, want)
	}
	var kinds []string
	for _, r := range d.Records() {
		kinds = append(kinds, r.Kind)
	}
	if got := strings.Join(kinds, " "); got != "created candidate front candidate front" {
		t.Errorf("records: %s", got)
	}
	var r result
	if err := d.Records()[3].Decode(&r); err != nil {
		t.Fatal(err)
	}
	n, err := d.Network(r.Network)
	if err != nil {
		t.Fatal(err)
	}
	wantNet, wantWeights := network("g1-0")
	if !reflect.DeepEqual(n, wantNet) {
		t.Errorf("network %+v, want %+v", n, wantNet)
	}
	if w, err := d.Weights(r.Weights, n); err != nil || !reflect.DeepEqual(w, wantWeights) {
		t.Errorf("weights %v (%v)", w, err)
	}
	if h, err := Verify(path); err != nil || h.Files != 5 || h.Records != 5 || h.Torn != 0 {
		t.Errorf("health %+v (%v)", h, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	path := mustRun(t)
	if _, err := Create(path, manifest(), durable.FS{}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("over a run: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.tex"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(other, manifest(), durable.FS{}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "thesis.tex") {
		t.Errorf("over other files: %v", err)
	}
	if _, err := Open(other, durable.FS{}); fault.Of(err) != fault.Usage {
		t.Errorf("open of no run: %v", err)
	}
}

func TestOneWriter(t *testing.T) {
	path := mustRun(t)
	d, err := Open(path, durable.FS{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, durable.FS{})
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a second writer: %v", err)
	}
	if _, err := Read(path); err != nil {
		t.Errorf("a reader beside the writer: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves: a signed lock file that nobody holds.
	if err := os.WriteFile(filepath.Join(path, LockFile), []byte("process 1 on elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err = Open(path, durable.FS{})
	if err != nil {
		t.Fatalf("after a killed process: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// A crash can cut the journal at any byte: what was whole is there, and the run goes on.
func TestJournalCutAnywhere(t *testing.T) {
	path := mustRun(t)
	file := filepath.Join(path, JournalFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := Open(path, durable.FS{})
		records := strings.Count(string(whole[:n]), "\n")
		if records == 0 { // no crash does this: the first record was there before any candidate
			if fault.Of(err) != fault.Damaged {
				t.Fatalf("cut at byte %d: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
		if len(d.Records()) != records {
			t.Fatalf("cut at byte %d: %d records, want %d", n, len(d.Records()), records)
		}
		if err := errors.Join(d.Append("again", n), d.Close()); err != nil {
			t.Fatal(err)
		}
		d, err = Read(path)
		if err != nil || len(d.Records()) != records+1 {
			t.Fatalf("cut at byte %d, after an append: %v", n, err)
		}
	}
}

func TestJournalChangedAnywhere(t *testing.T) {
	path := mustRun(t)
	file := filepath.Join(path, JournalFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 { // without its last newline the last record is torn, not damaged
		changed := append([]byte(nil), whole...)
		changed[n] ^= 1
		_, _, err := parseJournal(file, changed)
		if fault.Of(err) != fault.Damaged {
			t.Fatalf("byte %d changed: %v", n, err)
		}
		line := 1 + strings.Count(string(whole[:n]), "\n")
		if !strings.Contains(err.Error(), fmt.Sprintf("line %d (byte ", line)) {
			t.Fatalf("byte %d, line %d changed: %v", n, line, err)
		}
	}
	lines := strings.SplitAfter(string(whole), "\n")
	if _, _, err := parseJournal(file, []byte(lines[0]+lines[2])); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), "record 2 where 1") {
		t.Errorf("a record left out: %v", err)
	}
	records, size, err := parseJournal(file, []byte(lines[0]+strings.Repeat("\x00", 99)+"\n"))
	if err != nil || len(records) != 1 || int(size) != len(lines[0]) {
		t.Errorf("unwritten blocks at the end: %d records, %d bytes, %v", len(records), size, err)
	}
}

func TestOtherFilesChanged(t *testing.T) {
	for _, name := range []string{ManifestFile, FrontFile, "candidates/g0-0/arch.json", "candidates/g1-0/weights.safetensors"} {
		for how, change := range map[string]func(string) error{
			"changed": func(f string) error {
				b, err := os.ReadFile(f)
				if err != nil {
					return err
				}
				b[len(b)/2] ^= 1
				return os.WriteFile(f, b, 0o600)
			},
			"cut": func(f string) error { return os.Truncate(f, 7) },
		} {
			path := mustRun(t)
			if err := change(filepath.Join(path, name)); err != nil {
				t.Fatal(err)
			}
			if _, err := Verify(path); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("%s %s: %v", name, how, err)
			}
		}
	}
}

func TestNewerVersion(t *testing.T) {
	m := manifest()
	m.Format, m.Version = ManifestFormat, ManifestVersion+1
	b, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeManifest("run.json", b); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), "version is 2") {
		t.Errorf("%v", err)
	}
}

// Every step of writing a run fails once; what is on the disk then is a sound
// beginning of the run, or no run.
func TestEveryStepMayFail(t *testing.T) {
	injected := errors.New("injected")
	for n := 1; ; n++ {
		path := filepath.Join(t.TempDir(), "run")
		count := 0
		err := run(path, durable.FS{Fault: func(step, file string) error {
			if count++; count == n {
				return fmt.Errorf("%s %s: %w", step, file, injected)
			}
			return nil
		}})
		if err == nil {
			if n < 40 {
				t.Errorf("only %d steps were tried", n-1)
			}
			return
		}
		if !errors.Is(err, injected) {
			t.Fatalf("step %d: %v", n, err)
		}
		if !Exists(path) {
			if err := run(path, durable.FS{}); err != nil {
				t.Fatalf("%v; a new start: %v", err, err)
			}
			continue
		}
		cause := err
		d, err := Open(path, durable.FS{})
		if err != nil {
			t.Fatalf("%v; then open: %v", cause, err)
		}
		if err := errors.Join(d.WriteFront([]byte("{}")), d.Close()); err != nil {
			t.Fatalf("%v; then a front: %v", cause, err)
		}
		if _, err := Verify(path); err != nil {
			t.Fatalf("%v; then verify: %v", cause, err)
		}
	}
}

func FuzzJournal(f *testing.F) {
	r := Record{Seq: 0, Kind: "created", Data: json.RawMessage(`{"manifest":"x"}`)}
	line, err := r.line()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(append(append([]byte(nil), line...), "{\"seq\":1"...))
	f.Fuzz(func(t *testing.T, content []byte) {
		records, size, err := parseJournal("journal.jsonl", content)
		if err != nil {
			return
		}
		again, n, err := parseJournal("journal.jsonl", content[:size])
		if err != nil || n != size || len(again) != len(records) {
			t.Errorf("the whole part alone: %d of %d records, %d of %d bytes, %v", len(again), len(records), n, size, err)
		}
	})
}

func TestOpeningsOfTestDataAreCounted(t *testing.T) {
	path := mustRun(t)
	for want := 1; want <= 2; want++ {
		if n, err := NoteTest(path, "classify", durable.FS{}); err != nil || n != want {
			t.Errorf("%d openings (%v), want %d", n, err, want)
		}
	}
	if d, err := Read(path); err != nil || d.TestOpenings() != 2 {
		t.Errorf("read back: %v", err)
	}
}

// TestNothingIsWrittenElsewhere: a run that came from a stranger may hold links to
// anything; none is written through.
func TestNothingIsWrittenElsewhere(t *testing.T) {
	for _, name := range []string{LockFile, JournalFile, CandidatesDir, ClassifyDir} {
		path := filepath.Join(t.TempDir(), "run")
		if err := run(path, durable.FS{}); err != nil {
			t.Fatal(err)
		}
		// Elsewhere is a copy of what the run has there, so that all else is sound.
		victim, link := filepath.Join(filepath.Dir(path), "precious"), filepath.Join(path, name)
		if err := errors.Join(os.MkdirAll(filepath.Join(path, ClassifyDir), 0o700), os.Rename(link, victim), os.Symlink(victim, link)); err != nil {
			t.Fatal(err)
		}
		if name == LockFile {
			if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := contentBelow(t, victim)
		err := KeepTable(path, 1, []byte("{}"), durable.FS{})
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%s: %v", name, err)
		}
		if after := contentBelow(t, victim); after != before {
			t.Errorf("%s: %q became %q", name, before, after)
		}
	}
}

// contentBelow is a file's content, or the names and contents in a folder.
func contentBelow(t *testing.T, path string) (all string) {
	t.Helper()
	err := filepath.WalkDir(path, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		all += name + ": " + string(content) + "\n"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTemporaryFilesAreSwept wherever a run has them.
func TestTemporaryFilesAreSwept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if err := run(path, durable.FS{}); err != nil {
		t.Fatal(err)
	}
	candidates, err := filepath.Glob(filepath.Join(path, CandidatesDir, "*"))
	if err != nil || len(candidates) == 0 {
		t.Fatalf("%v, %v", candidates, err)
	}
	var left []string
	for _, dir := range []string{path, candidates[0], filepath.Join(path, ClassifyDir)} {
		left = append(left, filepath.Join(dir, "x"+durable.TempMark+"123"))
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(left[len(left)-1], nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(path, durable.FS{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, name := range left {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left (%v)", name, err)
		}
	}
}

// TestUnreadableIsNotDamaged: where the system can't read a file, the run isn't
// called damaged.
func TestUnreadableIsNotDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if err := run(path, durable.FS{}); err != nil {
		t.Fatal(err)
	}
	d, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.vouched() { // reading a folder fails otherwise than by absence
		name := filepath.Join(path, f.Path)
		if err := errors.Join(os.Remove(name), os.Mkdir(name, 0o700)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.checked(f); err == nil || fault.Of(err) == fault.Damaged {
			t.Errorf("%s: %v is of kind %d", f.Path, err, fault.Of(err))
		}
	}
}

// TestAKilledCreateLeavesNothing behind when the run is created anew.
func TestAKilledCreateLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	left := filepath.Join(path, ManifestFile+durable.TempMark+"1")
	if err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(left, nil, 0o600), run(path, durable.FS{})); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left (%v)", left, err)
	}
}

// What stands in a run's path is no pattern: its files are found all the same.
func TestRunsWithBracketsInTheirPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run[1]*")
	if err := run(path, durable.FS{}); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(path, CandidatesDir, "g0-0", "search"+checkpointSuffix)
	if err := os.WriteFile(damaged, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path); fault.Of(err) != fault.Damaged {
		t.Errorf("a damaged checkpoint is not found: %v", err)
	}
	aside := filepath.Join(path, asidePrefix+"1")
	left := filepath.Join(aside, JournalFile+durable.TempMark+"1")
	if err := errors.Join(os.Mkdir(aside, 0o700), os.WriteFile(left, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSalvage(path, durable.FS{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left (%v)", left, err)
	}
}
