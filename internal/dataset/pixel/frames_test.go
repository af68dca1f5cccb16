package pixel

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFrames: as many as Pillow counts (testdata/frames.py), whatever is cut off.
func TestFrames(t *testing.T) {
	for name, want := range map[string]int{"frames.tif": 3, "frames.gif": 3, "frames.webp": 3, "frames.png": 3, "frames.mpo": 3, "grey.jpg": 1, "rgb.tif": 1, "rgb.gif": 1, "rgb.png": 1, "lossy.webp": 1, "rgb.bmp": 1} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := Frames(b); got != want {
			t.Errorf("%s: %d frames, want %d", name, got, want)
		}
		for end := range b {
			if got := Frames(b[:end]); got < 1 || got > want {
				t.Fatalf("%s cut to %d bytes: %d frames", name, end, got)
			}
		}
	}
}
