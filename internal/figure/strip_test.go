package figure

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"moncae/internal/arch"
)

func decoded(t *testing.T, b *bytes.Buffer) image.Image {
	t.Helper()
	img, err := png.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestStripIsAPixelAValue(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	colours := []float32{1, 0, 0, 1, 0, 1} // 3×1×2: a red-and-blue pixel, then a green-and-blue one
	if err := Strip(&b, arch.Shape{C: 3, H: 1, W: 2}, [][]float32{{0, 0, 0, 0, 0, 0}, colours}); err != nil {
		t.Fatal(err)
	}
	img := decoded(t, &b)
	if img.Bounds().Dx() != 4 || img.Bounds().Dy() != 1 {
		t.Fatalf("size %v", img.Bounds())
	}
	for x, want := range []color.RGBA{{A: 255}, {A: 255}, {R: 255, A: 255}, {G: 255, B: 255, A: 255}} {
		if got := color.RGBAModel.Convert(img.At(x, 0)); got != want {
			t.Errorf("pixel %d: %v, want %v", x, got, want)
		}
	}
}

func TestDifferencesAreGreyWhereThereAreNone(t *testing.T) {
	t.Parallel()
	got := Differences([][]float32{{0.25, 0.75, 0}}, [][]float32{{0.25, 0.5, 0.25}})
	for i, want := range []float32{0.5, 0.75, 0.25} {
		if got[0][i] != want {
			t.Errorf("value %d: %v, want %v", i, got[0][i], want)
		}
	}
}

func TestLatentStripTilesChannels(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	// 3×1×2: three channels in a grid of 2×2, so 4×2 pixels a latent.
	sides, err := LatentStrip(&b, arch.Shape{C: 3, H: 1, W: 2}, [][]float32{{0, 1, 2, 3, 4, 5}, {0, 0, 0, 0, 0, 0}})
	if err != nil || sides != image.Pt(4, 2) {
		t.Fatalf("sides %v (%v)", sides, err)
	}
	img := decoded(t, &b)
	for i, want := range []uint8{0, 51, 102, 153, 204, 255, 0, 0} {
		if got := color.GrayModel.Convert(img.At(i%4, i/4)).(color.Gray).Y; got != want {
			t.Errorf("value %d: %d, want %d", i, got, want)
		}
	}
}
