package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"pgregory.net/rapid"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// drawSet draws a small set; labels are sorted, so that ids survive images too.
func drawSet(t *rapid.T, split string, shape arch.Shape, labelled bool) *dataset.Set {
	n := rapid.IntRange(1, 7).Draw(t, "rows")
	s := &dataset.Set{Name: "drawn", Shape: shape, Info: dataset.Info{Split: split}}
	s.Images = rapid.SliceOfN(rapid.Byte(), n*shape.Values(), n*shape.Values()).Draw(t, "pixels")
	if labelled {
		s.Classes = []string{"0", "1", "2"}
		s.Labels = rapid.SliceOfN(rapid.Int32Range(0, 2), n, n).Draw(t, "labels")
		s.Labels[n-1] = 2 // all classes are known to formats that only number them
		slices.Sort(s.Labels)
		if split != "test" && n >= 3 {
			copy(s.Labels, []int32{0, 1})
			slices.Sort(s.Labels)
		}
	}
	return s
}

// TestRoundTrip: what is written is read back, in every format.
func TestRoundTrip(t *testing.T) {
	dir, count := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 5)
		shape := arch.Shape{C: rapid.SampledFrom([]int{1, 3}).Draw(t, "c"), H: side.Draw(t, "h"), W: side.Draw(t, "w")}
		labelled := rapid.Bool().Draw(t, "labelled")
		train, test := drawSet(t, "train", shape, labelled), drawSet(t, "test", shape, labelled)
		format := rapid.SampledFrom(Formats).Draw(t, "format")
		out := filepath.Join(dir, fmt.Sprint(count))
		if count++; format == "npz" {
			out += ".npz"
		}
		if err := Write(durable.FS{}, Target{Path: out, Format: format}, train, test); err != nil {
			t.Fatal(err)
		}
		for _, want := range []*dataset.Set{train, test} {
			got, err := dataset.Load(context.Background(), out, dataset.Options{Split: want.Info.Split})
			if err != nil {
				t.Fatal(err)
			}
			if got.Shape != want.Shape || !bytes.Equal(got.Images, want.Images) || !sameClasses(got, want) {
				t.Fatalf("%s: %v of %v with %v %v became %v of %v with %v %v", format,
					want.Images, want.Shape, want.Labels, want.Classes, got.Images, got.Shape, got.Labels, got.Classes)
			}
		}
	})
}

// sameClasses compares labels by name: an image folder numbers only the classes
// that occur.
func sameClasses(a, b *dataset.Set) bool {
	if len(a.Labels) != len(b.Labels) {
		return false
	}
	for i := range a.Labels {
		if a.Classes[a.Labels[i]] != b.Classes[b.Labels[i]] {
			return false
		}
	}
	return true
}

func TestMiniRoundTrip(t *testing.T) {
	s, err := dataset.Load(context.Background(), dataset.Default, dataset.Options{Split: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"idx", "parquet"} {
		out := filepath.Join(t.TempDir(), format)
		if err := Write(durable.FS{}, Target{Path: out, Format: format}, s); err != nil {
			t.Fatal(err)
		}
		got, err := dataset.Load(context.Background(), out, dataset.Options{Split: "test"})
		if err != nil || got.Info.Fingerprint != s.Info.Fingerprint {
			t.Errorf("%s: the fingerprint changed, %v", format, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := &dataset.Set{Name: "s", Shape: arch.Shape{C: 1, H: 1, W: 1}, Images: []uint8{1, 2}, Labels: []int32{0, -1}, Classes: []string{"a/b", `a\b`}, Info: dataset.Info{Split: "all"}}
	dir, full := t.TempDir(), t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(full, "notes.txt"), nil, 0o600), os.WriteFile(filepath.Join(full, "x.npz"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ out, format, want string }{
		{full, "idx", "holds other files (notes.txt"},
		{filepath.Join(full, "x.npz"), "npz", "replaced with --overwrite only"},
		{filepath.Join(dir, "x"), "npz", "ends in .npz: give " + filepath.Join(dir, "x.npz")},
		{filepath.Join(dir, "x.zip"), "images", "the format images is a folder"},
		{filepath.Join(dir, "x.tar.gz"), "parquet", "give " + filepath.Join(dir, "x")},
		{filepath.Join(dir, "x"), "tiff", "format \"tiff\""},
		{filepath.Join(dir, "x"), "idx", "image 1 has no label"},
		{filepath.Join(dir, "x"), "images", "both make the folder a-b"},
		{filepath.Join(dir, "no", "where"), "idx", "no such file"},
	} {
		if err := Write(durable.FS{}, Target{Path: c.out, Format: c.format}, s); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, should contain %q", c.format, err, c.want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v was left behind", left)
	}
}

// A reader of Parquet may refuse a schema whose root is anything but required.
func TestParquetRootIsRequired(t *testing.T) {
	s := &dataset.Set{Name: "s", Shape: arch.Shape{C: 1, H: 1, W: 1}, Images: []uint8{1}, Info: dataset.Info{Split: "train"}}
	out := filepath.Join(t.TempDir(), "p")
	if err := Write(durable.FS{}, Target{Path: out, Format: "parquet"}, s); err != nil {
		t.Fatal(err)
	}
	p, err := file.OpenParquetFile(filepath.Join(out, "data", "train-00000-of-00001.parquet"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if r := p.MetaData().Schema.Root().RepetitionType(); r != parquet.Repetitions.Required {
		t.Errorf("the root is %v", r)
	}
}

// TestEveryStepMayFail: whichever step fails, in any format, the error says so,
// nothing is left, and a second try gives the whole.
func TestEveryStepMayFail(t *testing.T) {
	full := errors.New("no space left on device")
	s := &dataset.Set{Name: "s", Shape: arch.Shape{C: 1, H: 40, W: 40}, Labels: make([]int32, 5), Classes: []string{"a"}, Info: dataset.Info{Split: "all"}}
	s.Images = make([]uint8, 5*1600)
	for i := range s.Images {
		s.Images[i] = uint8(i * i >> 3)
	}
	for _, format := range Formats {
		steps := 0
		for n := 1; ; n++ {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			if format == "npz" {
				out += ".npz"
			}
			var count atomic.Int32
			err := Write(durable.FS{Fault: func(string, string) error {
				if count.Add(1) == int32(n) {
					return full
				}
				return nil
			}}, Target{Path: out, Format: format}, s)
			if err == nil {
				steps = n - 1
				break
			}
			if left, _ := os.ReadDir(dir); !errors.Is(err, full) || len(left) > 1 || len(left) == 1 && left[0].Name() != filepath.Base(out) {
				t.Fatalf("%s: step %d: %v, left behind %v", format, n, err, left)
			}
			if err := os.RemoveAll(out); err != nil { // it is whole where the last step failed
				t.Fatal(err)
			}
			if n%7 == 0 {
				if err := Write(durable.FS{}, Target{Path: out, Format: format}, s); err != nil {
					t.Fatalf("%s: step %d, then again: %v", format, n, err)
				}
			}
		}
		if steps < 6 {
			t.Errorf("%s: only %d steps were tried", format, steps)
		}
	}
}

// TestOneWriter: a second conversion to one place is refused while a first is at
// work.
func TestOneWriter(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	first, err := durable.FS{}.Claim(out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	s := &dataset.Set{Name: "s", Shape: arch.Shape{C: 1, H: 1, W: 1}, Images: []uint8{1}, Info: dataset.Info{Split: "all"}}
	if err := Write(durable.FS{}, Target{Path: out, Format: "images"}, s); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "another process") {
		t.Errorf("%v", err)
	}
}

// TestDamagedParquet: whichever byte of a file with structs and compressed pages is another
// one, reading it ends, with the images or with an error that names it.
func TestDamagedParquet(t *testing.T) {
	set, err := dataset.Load(context.Background(), dataset.Default, dataset.Options{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Write(durable.FS{}, Target{Path: filepath.Join(dir, "sound"), Format: "parquet"}, set); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(filepath.Join(dir, "sound", "data", "train-00000-of-00001.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "damaged.parquet")
	const step = 5 // all would take long
	for at := 0; at < len(sound); at += step {
		b := slices.Clone(sound)
		b[at] ^= 0x81
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := dataset.Load(context.Background(), path, dataset.Options{Split: "all"})
		if err != nil && (fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "damaged.parquet")) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}
