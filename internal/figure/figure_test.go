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

func sampleFront(members int) Front {
	f := Front{Title: "mnist-mini, seed 46", Loss: "BCE, nats a value", Floor: 0.058, Mean: 0.262}
	for i := range 60 {
		f.Evaluations = append(f.Evaluations, plotter.XY{X: 1 + float64(i%20)/10, Y: 0.09 + 0.003*float64(i)})
	}
	for i := range members {
		at := 8 * float64(i) / float64(members)
		f.Members = append(f.Members, plotter.XY{X: 1 + 0.25*at, Y: 0.06 + 0.14*math.Pow(0.7, at)})
		f.PCA = append(f.PCA, plotter.XY{X: 1 + 0.25*at, Y: 0.06 + 0.16*math.Pow(0.75, at)})
	}
	return f
}

func sampleGallery(rows, channels int) Gallery {
	g := Gallery{Title: "Validation images and what the front makes of them", Shape: arch.Shape{C: channels, H: 28, W: 28}}
	for r := range rows {
		row := GalleryRow{Caption: "g14-13 · latent 16×14×14 · 3136 values (1.3×) · LOC 3.50 · BCE 0.0812 · 21.4 dB"}
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
		"front": sampleFront(8), "front-3": sampleFront(3), "front-30": sampleFront(30), "front-none": Front{Floor: math.NaN(), Mean: math.NaN()},
		"gallery": sampleGallery(3, 1), "gallery-rgb-30": sampleGallery(30, 3),
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

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.04, 0.28, "0.05 0.10 0.15 0.20 0.25"},
		{1.02, 2.98, "1.2 1.4 1.6 1.8 2.0 2.2 2.4 2.6 2.8"},
		{0, 100, "0 20 40 60 80 100"},
		{-0.15, 2.9, "0.0 0.5 1.0 1.5 2.0 2.5"},
		{2.395, 2.405, "2.396 2.398 2.400 2.402 2.404"},
	} {
		var labels []string
		for _, tick := range (ticks{}).Ticks(c.low, c.high) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("ticks of %v…%v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
	if got := (ticks{latent: true}).Ticks(1.9, 2.1)[1].Label; !strings.Contains(got, "\n") {
		t.Errorf("a LOC's tick is %q, without the number of values", got)
	}
}
