package mat

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

func memory(path string, content []byte) source.File {
	return source.File{Path: path, Size: int64(len(content)), Stored: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

func fixture(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func drain(c *source.Collection, split int) (items []source.Item, err error) {
	s, err := c.Splits[split].Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	for {
		var it source.Item
		if err := s.Next(&it); errors.Is(err, io.EOF) {
			return items, nil
		} else if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
}

func TestSVHN(t *testing.T) {
	c, err := Collect("", []source.File{memory("test_32x32.mat", fixture(t, "test_32x32.mat")), memory("train_32x32.mat", fixture(t, "train_32x32.mat"))})
	if err != nil {
		t.Fatal(err)
	}
	if c.Raw.Shape.String() != "3×4×3" || c.Splits[0].Name != "train" || c.Splits[1].Rows != 3 {
		t.Fatalf("%+v %+v", c.Raw, c.Splits)
	}
	for split := range 2 {
		items, err := drain(c, split)
		if err != nil {
			t.Fatal(err)
		}
		for n, label := range []int32{1, 0, 9} {
			if items[n].Label != label {
				t.Errorf("label %d is %d", n, items[n].Label)
			}
			for i, v := range items[n].Data { // CHW
				ch, y, x := i/12, i/3%4, i%3
				if want := byte(64*n + 16*ch + 4*y + x + 1); v != want {
					t.Fatalf("image %d, channel %d, row %d, column %d: %d, want %d", n, ch, y, x, v, want)
				}
			}
		}
	}
}

func TestBad(t *testing.T) {
	good := fixture(t, "test_32x32.mat")
	for _, c := range []struct {
		data []byte
		want string
	}{
		{fixture(t, "bad-labels.mat"), "X holds 3 images of 3 channels (1 or 3 are read), y 2 labels"},
		{fixture(t, "bad-values.mat"), "image 0: value 0 is 13; without --range LO,HI"},
		{fixture(t, "bad-names.mat"), "has no variable X of images, H×W×C×N as SVHN's; it holds fea, gnd, info"},
		{good[:100], "offset 0 (header)"},
		{[]byte("MATLAB 7.3 MAT-file"), "version 7.3"},
		{good[:200], "offset 128 (element): it claims"},
		{good[:128], "has no variable X"},
	} {
		col, err := Collect("", []source.File{memory("x.mat", c.data)})
		if err == nil {
			_, err = drain(col, 0)
		}
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.mat") {
			t.Errorf("error is %v, should contain %q", err, c.want)
		}
	}
}

// TestNumbers: other numbers than bytes become them, as numpy's round((v-lo)/(hi-lo)*255).
func TestNumbers(t *testing.T) {
	good, err := Collect("", []source.File{memory("train_32x32.mat", fixture(t, "train_32x32.mat"))})
	if err != nil {
		t.Fatal(err)
	}
	want, err := drain(good, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, ends := range map[string][2]float64{"fractions.mat": {}, "words.mat": {}, "bad-values.mat": {12, 267}} {
		c, err := Collect("", []source.File{memory(name, fixture(t, name))})
		if err != nil {
			t.Fatal(err)
		}
		c.Stretch(ends[0], ends[1])
		got, err := drain(c, 0)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d images, %v", name, len(got), err)
		}
		for n := range got {
			if !bytes.Equal(got[n].Data, want[n].Data) {
				t.Errorf("%s: image %d is %v, want %v", name, n, got[n].Data, want[n].Data)
			}
		}
		if (c.Full == 1) != (name != "words.mat") {
			t.Errorf("%s: full is %v", name, c.Full)
		}
	}
}

// TestLeftOut: what isn't read is said.
func TestLeftOut(t *testing.T) {
	c, err := Collect("", []source.File{memory("extra_32x32.mat", nil), memory("readme.txt", nil), memory("test_32x32.mat", fixture(t, "test_32x32.mat"))})
	if err != nil {
		t.Fatal(err)
	}
	want := source.Omissions{{Reason: "the extra images of SVHN", Count: 1, Example: "extra_32x32.mat"}, {Reason: "variables that are no images and no labels", Count: 1, Example: "test_32x32.mat: other"}, {Reason: "files ending in .txt", Count: 1, Example: "readme.txt"}}
	if !slices.Equal(c.LeftOut, want) {
		t.Errorf("left out %+v", c.LeftOut)
	}
	if c, err := Collect("", []source.File{memory("image_00001.jpg", nil), memory("imagelabels.mat", fixture(t, "bad-names.mat"))}); c != nil || err != nil {
		t.Errorf("beside images: %+v, %v", c, err)
	}
}

func FuzzMat(f *testing.F) {
	for _, n := range []string{"train_32x32.mat", "test_32x32.mat"} {
		f.Add(fixture(f, n))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Collect("", []source.File{memory("f.mat", data)})
		if err == nil && c != nil && c.Raw.Shape.Values() < 1<<20 {
			_, err = drain(c, 0)
		}
		if err != nil && fault.Of(err) != fault.Usage {
			t.Fatalf("no fault of the user's: %v", err)
		}
	})
}
