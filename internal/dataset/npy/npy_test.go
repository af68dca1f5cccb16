package npy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

func memory(path string, content []byte) source.File {
	return source.File{Path: path, Size: int64(len(content)), Stored: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

func fixture(t testing.TB, name string) source.File {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return memory(name, b)
}

func drain(c *source.Collection, split int) (data []byte, labels []int32, err error) {
	s, err := c.Splits[split].Open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = s.Close() }()
	var it source.Item
	for {
		if err := s.Next(&it); errors.Is(err, io.EOF) {
			return data, labels, nil
		} else if err != nil {
			return nil, nil, err
		}
		data, labels = append(data, it.Data...), append(labels, it.Label)
	}
}

// TestTypes: every type of number gives the bytes that it was made from.
func TestTypes(t *testing.T) {
	want := make([]byte, 216)
	for k := range want {
		want[k] = byte(7 * k)
	}
	for _, name := range strings.Fields("grey-u1 grey-i8 grey-u2 grey-i4 grey-f2 grey-f4 grey-f8 nhwc") {
		c, err := Collect(name, []source.File{fixture(t, name+".npy")})
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := drain(c, 0)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %v, %v", name, data, err)
		}
	}
	c, err := Collect("", []source.File{fixture(t, "grey-b1.npy")})
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := drain(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range data {
		if (v == 255) != (want[k] > 127) || v != 0 && v != 255 {
			t.Fatalf("bool %d is %d", k, v)
		}
	}
}

func TestLayouts(t *testing.T) {
	for name, planar := range map[string]bool{"nhwc.npy": false, "nchw.npy": true} {
		c, err := Collect(name, []source.File{fixture(t, name)})
		if err != nil {
			t.Fatal(err)
		}
		if c.Raw.Shape.String() != "3×3×4" || c.Raw.Planar != planar || c.Splits[0].Rows != 6 {
			t.Errorf("%s: %+v", name, c.Raw)
		}
	}
}

func TestRoles(t *testing.T) {
	for name, want := range map[string]string{
		"x_train": "train images", "train_images": "train images", "y_test": "test labels", "val_labels": "val labels",
		"X": "all images", "targets": "all labels", "arr_0": "all images", "arr_1": "all labels", "Test-Images": "test images", "weights": "all ",
	} {
		r := roleOf("folder/" + name + ".npy")
		got := r.split + " " + map[kind]string{images: "images", labels: "labels"}[r.is]
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// H×W×C is one image, unless there are H labels.
func TestSingle(t *testing.T) {
	want := make([]byte, 432)
	for k := range want {
		want[k] = byte(7 * (k % 216))
	}
	for name, c := range map[string]struct {
		rows  int64
		shape string
		note  int
	}{"single.npy": {1, "3×12×12", 1}, "grey-u1.npy": {18, "1×3×4", 0}} {
		col, err := Collect(name, []source.File{fixture(t, name)})
		if err != nil {
			t.Fatal(err)
		}
		if col.Splits[0].Rows != c.rows || col.Raw.Shape.String() != c.shape || len(col.Notes) != c.note {
			t.Errorf("%s: %d images of %v, notes %q", name, col.Splits[0].Rows, col.Raw.Shape, col.Notes)
		}
		if data, _, err := drain(col, 0); err != nil || c.rows == 1 && !bytes.Equal(data, want) {
			t.Errorf("%s: %v, %v", name, data, err)
		}
	}
	narrow, err := files.Open(t.Context(), "testdata/narrow.npz")
	if err != nil {
		t.Fatal(err)
	}
	col, err := Collect("narrow.npz", narrow.Files)
	if err != nil || col.Splits[0].Rows != 12 || col.Raw.Shape.String() != "1×12×3" {
		t.Errorf("%+v, %v", col, err)
	}
}

// TestRange: any numbers can be pixels if it is said what is black and white.
func TestRange(t *testing.T) {
	want := make([]byte, 216)
	for k := range want {
		want[k] = byte(7 * k)
	}
	for name, ends := range map[string][2]float64{"symmetric.npy": {-1, 1}, "deep.npy": {0, 16 * 255}, "bad-range.npy": {0, 255}, "grey-u1.npy": {0, 255}, "grey-f8.npy": {0, 1}} {
		c, err := Collect(name, []source.File{fixture(t, name)})
		if err != nil {
			t.Fatal(err)
		}
		c.Stretch(ends[0], ends[1])
		if data, _, err := drain(c, 0); err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %v, %v", name, data, err)
		}
	}
}

func TestBad(t *testing.T) {
	good := fixture(t, "grey-u1.npy")
	r, _ := good.Open()
	b, _ := io.ReadAll(r)
	huge := bytes.Replace(b, []byte("(18, 3, 4)"), []byte("(9999999999, 3, 4)"), 1)[:len(b)]
	for _, c := range []struct {
		file source.File
		want string
	}{
		{fixture(t, "bad-fortran.npy"), "Fortran order"},
		{fixture(t, "bad-range.npy"), "image 0, value 1 is 7; without --range LO,HI, which says what is black and white, floats are 0 to 1"},
		{fixture(t, "bad-negative.npy"), "image 0, value 0 is -1; without --range LO,HI, which says what is black and white, integers are 0 to 255"},
		{fixture(t, "bad-nan.npy"), "value 0 is NaN; it can't be a pixel"},
		{fixture(t, "bad-objects.npy"), "holds Python objects"},
		{fixture(t, "bad-complex.npy"), "type is c16"},
		{fixture(t, "bad-flat.npy"), "an array of 18×12"},
		{memory("a.npy", nil), "offset 0 (magic)"},
		{memory("a.npy", b[:50]), "offset 10 (header): the file ends"},
		{memory("a.npy", b[:200]), "it is truncated"},
		{memory("a.npy", append(b[:len(b):len(b)], 1)), "offset 344 (end): 1 bytes follow"},
		{memory("a.npy", huge), "a.npy"},
	} {
		col, err := Collect("", []source.File{c.file})
		if err == nil {
			_, _, err = drain(col, 0)
		}
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file.Path) {
			t.Errorf("%s: error is %v, should contain %q", c.file.Path, err, c.want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	for _, n := range []string{"grey-u1.npy", "grey-f2.npy", "nhwc.npy", "bad-objects.npy"} {
		b, err := os.ReadFile(filepath.Join("testdata", n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Collect("f", []source.File{memory("f.npy", data)})
		if err == nil {
			_, _, err = drain(c, 0)
		}
		if err != nil && fault.Of(err) != fault.Usage {
			t.Fatalf("no fault of the user's: %v", err)
		}
	})
}
