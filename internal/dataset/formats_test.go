package dataset

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
)

// inFormat is what testdata/formats.py says of an example.
type inFormat struct {
	Open    string `json:"open"`
	Options struct {
		source.Columns
		Range      *[2]float64 `json:"range"`
		Background *uint8      `json:"background"`
	} `json:"options"`
	Refused string         `json:"refused"`
	Classes []string       `json:"classes"`
	LeftOut map[string]int `json:"left_out"`
	Within  int            `json:"within"`
	Note    string         `json:"note"`
	Splits  map[string]struct {
		Shape  []int   `json:"shape"`
		Labels []int32 `json:"labels"`
	} `json:"splits"`
}

func readJSON[T any](t *testing.T, name string) map[string]T {
	t.Helper()
	var all map[string]T
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFormats: data in the formats that people keep it in is what Pillow and numpy read
// of it, pixel for pixel, or is refused with the reason.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	unzip(t, "testdata/formats.zip", dir)
	for name, want := range readJSON[inFormat](t, "testdata/formats.json") {
		t.Run(name, func(t *testing.T) {
			o := Options{Split: source.Whole, Columns: want.Options.Columns, Range: want.Options.Range, Background: want.Options.Background}
			at := filepath.Join(dir, name, want.Open)
			if want.Refused != "" {
				o.Split = source.Train
				_, err := Load(context.Background(), at, o)
				wantFault(t, name, err, want.Refused)
				return
			}
			for split := range want.Splits {
				o.Split = split
				s, err := Load(context.Background(), at, o)
				if err != nil {
					t.Fatalf("%s: %v", split, err)
				}
				pixels, err := os.ReadFile(filepath.Join(dir, "expected", name, split+".npy"))
				if err != nil {
					t.Fatal(err)
				}
				want.check(t, s, split, pixels)
			}
		})
	}
}

func (want inFormat) check(t *testing.T, s *Set, split string, pixels []byte) {
	w := want.Splits[split]
	if shape := []int{s.Rows(), s.Shape.C, s.Shape.H, s.Shape.W}; !slices.Equal(shape, w.Shape) {
		t.Fatalf("%s: %v, want %v", split, shape, w.Shape)
	}
	pixels = pixels[len(pixels)-len(s.Images):] // behind the header
	for i, v := range s.Images {
		if d := int(v) - int(pixels[i]); d > want.Within || d < -want.Within {
			t.Fatalf("%s: value %d of %d is %d, want %d", split, i, len(pixels), v, pixels[i])
		}
	}
	if got := s.rowLabels(); !slices.Equal(got, w.Labels) || !slices.Equal(s.Classes, want.Classes) {
		t.Errorf("%s: labels %v of %q, want %v of %q", split, got, s.Classes, w.Labels, want.Classes)
	}
	left := map[string]int{}
	for _, l := range s.Info.LeftOut {
		left[l.Reason] = l.Count
	}
	if !maps.Equal(left, want.LeftOut) {
		t.Errorf("%s: left out %v, want %v", split, left, want.LeftOut)
	}
	if notes := strings.Join(s.Info.Notes, "\n"); !strings.Contains(notes, want.Note) {
		t.Errorf("%s: notes %q, want %q", split, notes, want.Note)
	}
}

// TestTheTableOfFormats: every row of docs/reference/data.md names examples, which
// TestFormats and TestLayouts hold to what it says, or tests; and every example is named.
func TestTheTableOfFormats(t *testing.T) {
	formats, layouts := readJSON[inFormat](t, "testdata/formats.json"), readJSON[laidOut](t, "testdata/layouts.json")
	b, err := os.ReadFile("../../docs/reference/data.md")
	if err != nil {
		t.Fatal(err)
	}
	named, tests := map[string]bool{}, goTests(t)
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") || strings.Contains(line, "| examples |") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		examples := strings.Split(cells[len(cells)-1], ", ")
		refused := 0
		for _, e := range examples {
			e = strings.Trim(e, "`")
			named[e] = true
			_, isLayout := layouts[e]
			f, isFormat := formats[e]
			if !isLayout && !isFormat && !tests[e] {
				t.Errorf("%s: there is no example %q", cells[0], e)
			}
			if f.Refused != "" {
				refused++
			}
		}
		if says := strings.Contains(cells[1], "refused") || strings.Contains(cells[1], "not read") || strings.Contains(cells[1], "needs two"); len(cells) != 4 || says != (refused > 0) {
			t.Errorf("%s: %d cells; %q, and %d of %d examples are refused", cells[0], len(cells), cells[1], refused, len(examples))
		}
	}
	for e := range formats {
		if !named[e] {
			t.Errorf("the example %s stands in no row", e)
		}
	}
	for e := range layouts {
		if !named[e] {
			t.Errorf("the layout %s stands in no row", e)
		}
	}
}

// goTests are the names of the tests below this folder.
func goTests(t *testing.T) map[string]bool {
	out := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for line := range strings.Lines(string(b)) {
			if name, found := strings.CutPrefix(line, "func Test"); found {
				name, _, _ = strings.Cut(name, "(")
				out["Test"+name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
