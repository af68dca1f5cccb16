package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

func sampleFront() Front {
	f := Front{Title: "mnist-mini, seed 46", Loss: "BCE, nats a value", Floor: 0.058, Mean: 0.262}
	for i := range 60 {
		f.Evaluations = append(f.Evaluations, plotter.XY{X: 1 + float64(i%20)/10, Y: 0.09 + 0.003*float64(i)})
	}
	for i := range 8 {
		f.Members = append(f.Members, plotter.XY{X: 1 + 0.25*float64(i), Y: 0.2 * math.Pow(0.85, float64(i))})
		f.PCA = append(f.PCA, plotter.XY{X: 1 + 0.25*float64(i), Y: 0.22 * math.Pow(0.86, float64(i))})
	}
	return f
}

func sampleGallery(rows, channels int) Gallery {
	g := Gallery{Title: "Validation images and what the front makes of them", Shape: arch.Shape{C: channels, H: 28, W: 28}}
	for r := range rows {
		row := GalleryRow{Caption: "g4-3 · 4×4×4 · 64 values · BCE 0.081 · LOC 1.81"}
		for i := range 10 {
			v := make([]float32, g.Shape.Values())
			for j := range v {
				v[j] = float32((j*(i+1)+r)%255) / 255
			}
			row.Images = append(row.Images, v)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func TestFiguresAreWholeAndRepeatable(t *testing.T) {
	figures := map[string]interface {
		Draw(io.Writer, string) error
	}{
		"front": sampleFront(), "gallery": sampleGallery(3, 1), "gallery-rgb-30": sampleGallery(30, 3),
	}
	for name, f := range figures {
		for _, format := range []string{"png", "svg"} {
			var a, b bytes.Buffer
			if err := errors.Join(f.Draw(&a, format), f.Draw(&b, format)); err != nil {
				t.Fatalf("%s.%s: %v", name, format, err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s.%s: two drawings differ", name, format)
			}
			check(t, name, format, a.Bytes())
			if dir := os.Getenv("MONCAE_KEEP_FIGURES"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"."+format), a.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func check(t *testing.T, name, format string, data []byte) {
	t.Helper()
	if format == "png" {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s.png: %v", name, err)
		}
		if b := img.Bounds(); b.Dx() < 800 {
			t.Errorf("%s.png is %v wide, too coarse for print", name, b.Dx())
		}
		return
	}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s.svg: %v", name, err)
		}
	}
}

func TestFormatRefusesOthers(t *testing.T) {
	_, err := Format("front.jpg")
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "front.jpg") {
		t.Errorf("Format(front.jpg): %v", err)
	}
}
