package webdataset

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// list makes files of "path=content" words.
func list(words string) []source.File {
	var out []source.File
	for _, w := range strings.Fields(words) {
		p, content, _ := strings.Cut(w, "=")
		out = append(out, source.File{Path: p, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(content)), nil
		}})
	}
	slices.SortFunc(out, func(a, b source.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ files, want, classes string }{
		{`1.jpg 1.cls=2 0.jpg 0.cls=0`, "all: 0.jpg=0 1.jpg=2", "0 1 2"},
		{`a.png a.cls=dog b.png b.cls=cat c.png`, "all: a.png=1 b.png=0 c.png=-1", "cat dog"},
		{`a.png a.json={"label":3} b.png b.json={"x":1,"class":"1"}`, "all: a.png=3 b.png=1", "0 1 2 3"},
		{`train-0.tar/1.jpg train-0.tar/1.cls=0 test_0.tar/1.jpg test_0.tar/1.cls=1`, "train: train-0.tar/1.jpg=0; test: test_0.tar/1.jpg=1", "0 1"},
		{`a.seg.png a.jpg a.cls=0 a.txt=hello`, "all: a.jpg=0", "0"},
	} {
		col, err := Collect("x.tar", list(c.files))
		if err != nil {
			t.Errorf("%s: %v", c.files, err)
			continue
		}
		var parts []string
		for _, s := range col.Splits {
			st, err := s.Open()
			if err != nil {
				t.Fatal(err)
			}
			part := s.Name + ":"
			for it := (source.Item{}); st.Next(&it) == nil; {
				part += fmt.Sprintf(" %s=%d", it.Path, it.Label)
			}
			parts = append(parts, part)
		}
		if got := strings.Join(parts, "; "); got != c.want || strings.Join(col.Classes, " ") != c.classes {
			t.Errorf("%s: %s %v, want %s (%s)", c.files, got, col.Classes, c.want, c.classes)
		}
	}
	if c, err := Collect("folder", list("a.jpg a.json={ b.jpg")); c != nil || err != nil {
		t.Errorf("no labels: %v, %v", c, err)
	}
}

func TestBad(t *testing.T) {
	for files, want := range map[string]string{
		`a.jpg a.json=[1]`:    "a.json",
		`a.jpg a.cls=9999999`: "no class number from 0 to 65535",
	} {
		if _, err := Collect("x.tar.gz", list(files)); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, should contain %q", files, err, want)
		}
	}
}

func FuzzLabels(f *testing.F) {
	f.Add("3", `{"label": 1}`)
	f.Add("dog", `{"cls": "cat", "class": 7}`)
	f.Fuzz(func(t *testing.T, cls, object string) {
		content := func(path, text string) source.File {
			return source.File{Path: path, Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(text)), nil
			}}
		}
		c, err := Collect("x.tar", []source.File{content("a.cls", cls), content("a.jpg", ""), content("b.jpg", ""), content("b.json", object)})
		if err != nil {
			if fault.Of(err) != fault.Usage {
				t.Fatalf("no fault of the user's: %v", err)
			}
			return
		}
		labels, err := c.Splits[0].Labels()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range labels {
			if l < -1 || int(l) >= len(c.Classes) {
				t.Fatalf("label %d of %d classes", l, len(c.Classes))
			}
		}
	})
}
