package dataset

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// laidOut is what testdata/layouts.py says of a layout.
type laidOut struct {
	Classes []string              `json:"classes"`
	LeftOut int                   `json:"left_out"`
	Note    string                `json:"note"`
	Splits  map[string][][2]int32 `json:"splits"` // of each image its value and its label
}

// TestLayouts: data sets as people find them are read as testdata/layouts.py means them.
func TestLayouts(t *testing.T) {
	all := readJSON[laidOut](t, "testdata/layouts.json")
	dir := t.TempDir()
	unzip(t, "testdata/layouts.zip", dir)
	for name, want := range all {
		t.Run(name, func(t *testing.T) {
			for split, images := range want.Splits {
				s, err := Load(context.Background(), filepath.Join(dir, name), Options{Split: split})
				if err != nil {
					t.Fatalf("%s: %v", split, err)
				}
				if got := read(s); !slices.Equal(got, images) {
					t.Errorf("%s: %v, want %v", split, got, images)
				}
				if !slices.Equal(s.Classes, want.Classes) || s.Info.LeftOut.Total() != want.LeftOut {
					t.Errorf("%s: classes %v, want %v; left out %v, want %d", split, s.Classes, want.Classes, s.Info.LeftOut, want.LeftOut)
				}
				if notes := strings.Join(s.Info.Notes, "\n"); !strings.Contains(notes, want.Note) {
					t.Errorf("%s: notes %q, want %q", split, notes, want.Note)
				}
			}
		})
	}
}

// read gives each image's middle value, and its label.
func read(s *Set) [][2]int32 {
	var out [][2]int32
	for i := range s.Rows() {
		m := s.Image(i)
		out = append(out, [2]int32{int32(m[len(m)/2]), s.label(i)})
	}
	return out
}

func unzip(t *testing.T, name, dir string) {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) < 40 {
		t.Fatalf("%d layouts, %v", len(entries), err)
	}
}
