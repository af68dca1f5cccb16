package tree

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
)

// list makes files of the given paths, in order.
func list(paths string) []source.File {
	var out []source.File
	for _, p := range strings.Fields(paths) {
		out = append(out, source.File{Path: p, Stored: 10})
	}
	slices.SortFunc(out, func(a, b source.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// describe writes a collection on one line: split: path=label …
func describe(t *testing.T, c *source.Collection) string {
	var parts []string
	for _, s := range c.Splits {
		part := s.Name + ":"
		st, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		var labels []int32
		if s.Labels != nil {
			if labels, err = s.Labels(); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; ; i++ {
			var it source.Item
			if err := st.Next(&it); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if labels != nil && labels[i] != it.Label {
				t.Errorf("label %d is %d, the item says %d", i, labels[i], it.Label)
			}
			part += fmt.Sprintf(" %s=%d", it.Path, it.Label)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ paths, want, classes string }{
		{"b.png a.png", "all: a.png=-1 b.png=-1", ""},
		{"cat/1.jpg dog/1.jpg cat/x.txt", "all: cat/1.jpg=0 dog/1.jpg=1", "cat dog"},
		{"cat/1.jpg cat/2.jpg", "all: cat/1.jpg=0 cat/2.jpg=0", "cat"},
		{"pets/cat/1.jpg pets/dog/deep/1.jpg", "all: pets/cat/1.jpg=0 pets/dog/deep/1.jpg=1", "cat dog"},
		{"train/b/1.png train/c/1.png test/a/1.png", "train: train/b/1.png=1 train/c/1.png=2; test: test/a/1.png=0", "a b c"},
		{"x/y/Train/a/1.png x/y/Test/a/1.png", "train: x/y/Train/a/1.png=0; test: x/y/Test/a/1.png=0", "a"},
		{"train/a/1.png test/1.png val/a/1.png", "train: train/a/1.png=0; val: val/a/1.png=0; test: test/1.png=-1", "a"},
		{"train/1.png", "train: train/1.png=-1", ""},
		{"train/a/1.png test/a/1.png samples/b/1.png", "train: train/a/1.png=0; test: test/a/1.png=0", "a"},
		{"train/1.png plane/1.png", "all: plane/1.png=0 train/1.png=1", "plane train"}, // means of transport
		{"10/1.png 9/1.png", "all: 10/1.png=0 9/1.png=1", "10 9"},
	} {
		col, err := Collect("data", list(c.paths))
		if err != nil {
			t.Errorf("%s: %v", c.paths, err)
			continue
		}
		if got := describe(t, col); got != c.want || strings.Join(col.Classes, " ") != c.classes {
			t.Errorf("%s: %s (%v), want %s (%s)", c.paths, got, col.Classes, c.want, c.classes)
		}
	}
}

func TestMixed(t *testing.T) {
	_, err := Collect("data", list("cat/1.jpg cover.jpg"))
	if err == nil || !strings.Contains(err.Error(), "cat/1.jpg") || !strings.Contains(err.Error(), "cover.jpg") {
		t.Errorf("error is %v", err)
	}
}

func TestCounts(t *testing.T) {
	c, err := Collect("data", list("train/a/1.png test/a/1.png extra/b/1.png train/notes.txt labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Ignored != 2 || c.Splits[0].Bytes() != 10 || len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "1 image ") {
		t.Errorf("%d ignored, %d bytes, notes %q", c.Ignored, c.Splits[0].Bytes(), c.Notes)
	}
	if c, err := Collect("data", list("a.txt b.csv")); c != nil || err != nil {
		t.Errorf("no images: %v, %v", c, err)
	}
}
