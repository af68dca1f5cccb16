package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"
)

func encoded(t *testing.T, m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// strokes are black on a transparent ground.
func strokes(t *testing.T) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 8 {
		m.Set(i, i, color.Black)
	}
	return encoded(t, m)
}

// twelve bits in sixteen; numpy.round gives the sums.
func twelve(t *testing.T) []byte {
	m := image.NewGray16(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		m.SetGray16(i%8, i/8, color.Gray16{uint16(i * 63)})
	}
	return encoded(t, m)
}

func TestNoticed(t *testing.T) {
	mask := image.NewGray(image.Rect(0, 0, 4, 4))
	mask.Pix[5] = 1
	grey, black := new(uint8(128)), new(uint8(0))
	for name, c := range map[string]struct {
		file []byte
		o    Options
		sum  int // of the first image's bytes
		want []string
	}{
		"transparent":          {strokes(t), Options{}, 3 * 56 * 255, []string{"all 3 images have transparent pixels, drawn on white (--background)"}},
		"transparent on grey":  {strokes(t), Options{Background: grey}, 3 * 56 * 128, []string{"all 3 images have transparent pixels, drawn on the grey 128 (--background)"}},
		"transparent on black": {strokes(t), Options{Background: black}, 0, []string{"all 3 images have transparent pixels, drawn on black (--background)", "all 3 images have one value throughout"}},
		"12 bits":              {twelve(t), Options{}, 493, []string{"the values lie between 0 and 3969 of 65535, 6 % of the range: --range 0,4095 would stretch it"}},
		"12 bits stretched":    {twelve(t), Options{Range: &[2]float64{0, 4095}}, 7909, nil},
		"a mask of 0 and 1":    {encoded(t, mask), Options{}, 1, []string{"the values lie between 0 and 1 of 255, 0 % of the range: --range 0,1 would stretch it"}},
		"a mask stretched":     {encoded(t, mask), Options{Range: &[2]float64{0, 1}}, 255, nil},
		"constant":             {pngOf(t, 4, 4, 7, false), Options{}, 16 * 7, []string{"all 3 images have one value throughout"}},
	} {
		content := map[string][]byte{}
		for i := range 3 {
			content[fmt.Sprintf("%d.png", i)] = c.file
		}
		c.o.Split = "all"
		s := load(t, folder(t, content), c.o)
		sum := 0
		for _, v := range s.Image(0) {
			sum += int(v)
		}
		if sum != c.sum || !slices.Equal(s.Info.Notes, c.want) {
			t.Errorf("%s: sum %d, notes %q", name, sum, s.Info.Notes)
		}
	}
}

// A run that began before there was a background drew on black, and goes on so.
func TestPreprocessWithoutBackground(t *testing.T) {
	dir := folder(t, map[string][]byte{"0.png": strokes(t), "1.png": strokes(t)})
	var old Preprocess
	if err := json.Unmarshal([]byte(`{"image_size":[8,8],"resize":"none","channels":3}`), &old); err != nil {
		t.Fatal(err)
	}
	s := load(t, dir, old.Apply(Options{Split: "all"}))
	if !constant(s.Images) || s.Images[0] != 0 {
		t.Errorf("not all black: %v", s.Image(0))
	}
	again, err := json.Marshal(s.Info.Preprocess)
	if err != nil || strings.Contains(string(again), "background") {
		t.Errorf("%s (%v)", again, err)
	}
	fresh := load(t, dir, Options{Split: "all"})
	if text, err := json.Marshal(fresh.Info.Preprocess); err != nil || !strings.Contains(string(text), `"background":255`) {
		t.Errorf("%s (%v)", text, err)
	}
	if kept := load(t, dir, fresh.Info.Preprocess.Apply(Options{Split: "all"})); !bytes.Equal(kept.Images, fresh.Images) {
		t.Error("the same preprocessing gives other pixels")
	}
}
