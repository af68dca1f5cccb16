package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// labelled is a set of 1×1 images with the given labels.
func labelled(labels []int32) *Set {
	s := &Set{Name: "s", Shape: arch.Shape{C: 1, H: 1, W: 1}, Images: make([]uint8, len(labels)), Labels: labels}
	for i := range int(slices.Max(labels)) + 1 {
		s.Classes = append(s.Classes, string(rune('a'+i)))
	}
	return s
}

// TestSplitProperties: a partition, sorted, of the right size, with every class's
// share right within one, and always the same.
func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.SliceOfN(rapid.Int32Range(0, 4), 2, 300).Draw(t, "labels")
		share := rapid.Float64Range(0.01, 0.99).Draw(t, "share")
		seed := rapid.Uint64().Draw(t, "seed")
		s := labelled(labels)
		train, val, err := Split(s, share, seed)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(train) || !slices.IsSorted(val) {
			t.Fatal("unsorted")
		}
		all := slices.Sorted(slices.Values(slices.Concat(train, val)))
		if len(all) != len(labels) || len(slices.Compact(all)) != len(labels) || len(train) == 0 || len(val) == 0 {
			t.Fatalf("%d and %d of %d rows", len(train), len(val), len(labels))
		}
		n := min(max(int(math.Round(share*float64(len(labels)))), 1), len(labels)-1)
		if len(val) != n {
			t.Fatalf("%d rows, want %d", len(val), n)
		}
		total, held := StatsOf(s, nil).PerClass, StatsOf(s, val).PerClass
		for c := range total {
			if want := float64(total[c]) * float64(n) / float64(len(labels)); math.Abs(float64(held[c])-want) >= 1 {
				t.Fatalf("class %d: %d held out, its share is %v", c, held[c], want)
			}
		}
		again, _, _ := Split(s, share, seed)
		if !slices.Equal(again, train) {
			t.Fatal("the same split differs")
		}
	})
}

// TestSplitGolden holds a decision that runs depend on.
func TestSplitGolden(t *testing.T) {
	labels := make([]int32, 30)
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	_, val, err := Split(labelled(labels), 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 4, 17, 22, 23, 27}; !slices.Equal(val, want) {
		t.Errorf("%v, want %v", val, want)
	}
	_, other, _ := Split(labelled(labels), 0.2, 2)
	if slices.Equal(val, other) {
		t.Error("the seed changes nothing")
	}
	if s := Sample(labelled(labels), []int32{0, 1, 2, 3, 4, 5}, 3, 1); len(s) != 3 || labels[s[0]]+labels[s[1]]+labels[s[2]] != 3 {
		t.Errorf("a sample of 3 is %v", s)
	}
}

func TestSplitRefusals(t *testing.T) {
	for _, share := range []float64{0, 1, -1, math.NaN()} {
		_, _, err := Split(labelled([]int32{0, 1}), share, 0)
		wantFault(t, "share", err, "between 0 and 1")
	}
	_, _, err := Split(labelled([]int32{0}), 0.5, 0)
	wantFault(t, "one", err, "2 are needed")
}

// TestStats compares with the sums written out.
func TestStats(t *testing.T) {
	s := &Set{Shape: arch.Shape{C: 1, H: 1, W: 2}, Images: []uint8{0, 255, 51, 102}}
	st := StatsOf(s, nil)
	h := func(x float64) float64 { return -x*math.Log(x) - (1-x)*math.Log(1-x) }
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-7 }
	if !near(st.Floor, (h(0.2)+h(0.4))/4) || !near(st.MeanValue, 0.4) || !near(float64(st.Mean[0]), 0.1) || !near(float64(st.Mean[1]), 0.7) {
		t.Errorf("%+v", st)
	}
	if want := math.Sqrt((0.16 + 0.36 + 0.04) / 4); !near(st.Deviation, want) || st.Histogram[51] != 1 || st.PerClass != nil {
		t.Errorf("deviation %v, want %v", st.Deviation, want)
	}
	if one := StatsOf(s, []int32{1}); one.Rows != 1 || !near(one.MeanValue, 0.3) {
		t.Errorf("%+v", one)
	}
}

func TestContactSheet(t *testing.T) {
	s := &Set{Shape: arch.Shape{C: 1, H: 28, W: 28}, Images: make([]uint8, 4*784), Labels: []int32{1, 0, 1, 0}, Classes: []string{"a", "b"}}
	for i := range 4 {
		for k := range s.Image(i) {
			s.Image(i)[k] = uint8(10 * (i + 1))
		}
	}
	sheet := ContactSheet(s, 2, 3)
	if b := sheet.Bounds(); b.Dx() != 3*58 || b.Dy() != 2*58 {
		t.Fatalf("its size is %v", b)
	}
	for y, line := range [][]uint8{{20, 40, 128}, {10, 30, 128}} { // class a, class b
		for x, want := range line {
			if got := sheet.RGBAAt(58*x+5, 58*y+5).R; got != want {
				t.Errorf("cell %d, %d is %d, want %d", y, x, got, want)
			}
		}
	}
	s.Labels = nil
	if got := ContactSheet(s, 2, 2).RGBAAt(60, 5).R; got != 20 {
		t.Errorf("unlabelled, the second cell is %d", got)
	}
}

// TestEndsAreReadThough: where rows are set apart, the file's end is read all the same:
// a checksum there that doesn't agree, or is missing, is found.
func TestEndsAreReadThough(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	values := append([]byte{0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 4}, make([]byte, 20*4*4)...)
	if _, err := z.Write(values); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sound := b.Bytes()
	damaged := slices.Clone(sound)
	damaged[len(damaged)-6] ^= 1 // of the CRC-32
	path := filepath.Join(t.TempDir(), "images-idx3-ubyte.gz")
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{"sound": {sound, ""}, "cut": {sound[:len(sound)-3], "truncated"}, "damaged": {damaged, "checksum"}} {
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, split := range []string{"train", "test", "all"} {
			_, err := Load(context.Background(), path, Options{Split: split, TestFraction: 0.3})
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(fault.Text(err), c.says)) {
				t.Errorf("%s, split %s: %v, want %q", name, split, err, c.says)
			}
		}
	}
}
