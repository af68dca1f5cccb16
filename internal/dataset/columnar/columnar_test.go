package columnar

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

func fixture(t testing.TB, names ...string) []source.File {
	var out []source.File
	for _, n := range names {
		p := filepath.Join("testdata", n)
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, source.File{Path: n, Size: info.Size(), Stored: info.Size(), Disk: p})
	}
	return out
}

// value is the one value of an image's pixels.
func value(c *source.Collection, data []byte) (int, error) {
	if c.Raw != nil {
		return int(data[0]), nil
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	v, _, _, _ := m.At(0, 0).RGBA()
	return int(v >> 8), nil
}

// describe writes a collection on one line: split value=label …
func describe(t *testing.T, c *source.Collection) string {
	var parts []string
	for _, s := range c.Splits {
		part := fmt.Sprintf("%s %d:", s.Name, s.Rows)
		st, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		for {
			var it source.Item
			err := st.Next(&it)
			if errors.Is(err, io.EOF) {
				break
			}
			var bad *source.Bad
			if errors.As(err, &bad) {
				part += " bad"
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := value(c, it.Data)
			if err != nil {
				t.Fatal(err)
			}
			part += fmt.Sprintf(" %s%d=%d", it.Path, v, it.Label)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ") + " (" + strings.Join(c.Classes, " ") + ")"
}

func TestFiles(t *testing.T) {
	words := "all 7: 0=2 10=1 20=2 30=-1 40=1 50=0 60=2 (ape hen ox)"
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"shards", []string{"shards/test-00000-of-00001.parquet", "shards/train-00000-of-00002.parquet", "shards/train-00001-of-00002.parquet"},
			"train 5: 0.png0=0 1.png10=1 2.png20=2 3.png30=0 4.png40=1; test 2: 5.png50=2 6.png60=0 (ant bee cat)"},
		{"words.parquet", []string{"words.parquet"}, words},
		{"words.arrow", []string{"words.arrow"}, words},
		{"tensor.arrow", []string{"tensor.arrow"}, "all 7: 0=0 10=1 20=2 30=0 40=1 50=2 60=0 (0 1 2)"},
		{"polars.arrow", []string{"polars.arrow"}, "all 3: 0=1 10=0 20=1 (a b)"},
		{"views.arrow", []string{"views.arrow"}, "all 3: 0=1 10=0 20=1 (a b)"},
		{"categories.arrow", []string{"categories.arrow"}, "all 3: 0=1 10=0 20=1 (a b)"},
		{"split-stream.parquet", []string{"split-stream.parquet"}, "all 7: 0=-1 1=-1 2=-1 3=-1 4=-1 5=-1 6=-1 ()"},
		{"null.parquet", []string{"null.parquet"}, "all 3: 0=-1 bad 20=-1 ()"},
	} {
		col, err := Collect(c.name, fixture(t, c.files...), source.Columns{})
		if err != nil {
			t.Errorf("%v: %v", c.files, err)
			continue
		}
		if got := describe(t, col); got != c.want {
			t.Errorf("%v: %s, want %s", c.files, got, c.want)
		}
	}
}

func TestBad(t *testing.T) {
	write := func(name string, change func([]byte) []byte) source.File {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(t.TempDir(), "x"+filepath.Ext(name))
		if err := os.WriteFile(p, change(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return source.File{Path: p, Disk: p}
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, c := range []struct {
		file source.File
		want string
	}{
		{fixture(t, "bad-columns.parquet")[0], "no image column among a (int64), b (utf8)"},
		{fixture(t, "bad-label.parquet")[0], "column label: row 0: -7"},
		{write("words.parquet", half), "can't be read as Parquet"},
		{write("words.arrow", half), "x.arrow"},
		{write("tensor.arrow", half), "can't be read as Arrow"},
		{write("words.parquet", func([]byte) []byte { return nil }), "can't be read as Parquet"},
		{write("words.parquet", func(b []byte) []byte {
			clear(b[len(b)-200 : len(b)-8])
			return b
		}), "x.parquet"},
		{source.File{Path: "a.parquet"}, "unpack it"},
	} {
		col, err := Collect("set.zip", []source.File{c.file}, source.Columns{})
		if err == nil {
			t.Errorf("%s: read as %s", c.file.Path, describe(t, col))
			continue
		}
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, should contain %q", c.file.Path, err, c.want)
		}
	}
}

// drain reads a collection's first split to its end.
func drain(c *source.Collection) error {
	st, err := c.Splits[0].Open()
	if err != nil {
		return err
	}
	defer st.Close()
	for err == nil {
		err = st.Next(&source.Item{})
	}
	return err
}

// TestRowsAreHeldAgainstTheFooter: pages and messages that can't be read are no end.
func TestRowsAreHeldAgainstTheFooter(t *testing.T) {
	for name, want := range map[string]string{
		"damaged-image.parquet": "hold 30 rows, its footer announces 40",
		"damaged-label.parquet": "hold 30 rows, its footer announces 40",
		"damaged-file.arrow":    "after 1 record batches, the footer announces 4",
		"damaged-stream.arrow":  "bytes follow",
	} {
		col, err := Collect("set", fixture(t, name), source.Columns{})
		if err == nil {
			err = drain(col)
		}
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error is %v, should contain %q", name, err, want)
		}
	}
}
