package imagefile

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"moncae/internal/arch"
)

// The heads are those of arrays that NumPy saved (internal/dataset/npy/testdata/make.py).
func TestNPYHeaderIsNumPys(t *testing.T) {
	names, err := filepath.Glob("../dataset/npy/testdata/*.npy")
	if err != nil || len(names) < 8 {
		t.Fatalf("%v, %v", names, err)
	}
	fields := regexp.MustCompile(`'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]+)\)`)
	tried := 0
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := fields.FindSubmatch(content)
		if m == nil {
			continue
		}
		var dims []int64
		for _, d := range strings.Split(strings.Trim(string(m[2]), ", "), ", ") {
			n, err := strconv.ParseInt(d, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			dims = append(dims, n)
		}
		if got := NPYHeader(string(m[1]), dims...); !bytes.HasPrefix(content, got) || got[len(got)-1] != '\n' {
			t.Errorf("%s: %q", name, got)
		}
		tried++
	}
	if tried < 8 {
		t.Errorf("%d were tried", tried)
	}
}

func TestEncodePixels(t *testing.T) {
	for _, s := range []arch.Shape{{C: 1, H: 2, W: 3}, {C: 3, H: 2, W: 3}} {
		pixels := make([]uint8, s.Values())
		for i := range pixels {
			pixels[i] = uint8(i*13 + 7)
		}
		var b bytes.Buffer
		if err := EncodePixels(&b, pixels, s); err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.H * s.W {
			got := [3]uint32{}
			got[0], got[1], got[2], _ = m.At(i%s.W, i/s.W).RGBA()
			for c := range s.C {
				if want := uint32(pixels[c*s.H*s.W+i]) * 0x101; got[c] != want {
					t.Errorf("%v: pixel %d, channel %d is %#x, want %#x", s, i, c, got[c], want)
				}
			}
		}
	}
	if EncodePixels(&bytes.Buffer{}, make([]uint8, 2), arch.Shape{C: 2, H: 1, W: 1}) == nil {
		t.Error("two channels were written")
	}
}
