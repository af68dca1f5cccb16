package pixel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// picture is an image as testdata/make.py wrote it down.
type picture struct {
	Size   [3]int
	Pixels []byte
}

func (p picture) image() *Image {
	return &Image{p.Size[0], p.Size[1], p.Size[2], slices.Clone(p.Pixels)}
}

// expected is what Pillow sees.
func expected(t testing.TB) map[string]picture {
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]picture
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// difference is the largest difference of two values.
func difference(a, b []uint8) int {
	most := 0
	for i := range a {
		most = max(most, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return most
}

// tolerance is what two decoders of a format may differ by: the inverse cosine
// transforms of JPEG and the colour conversions are specified up to rounding
// only; everything else is exact, but for the rounding of alpha.
func tolerance(name string) int {
	switch {
	case name == "lossy.webp", strings.HasSuffix(name, "alpha.webp"), strings.HasPrefix(name, "cmyk"), strings.HasPrefix(name, "ycck"):
		return 4
	case strings.HasSuffix(name, ".jpg"):
		return 3
	case strings.Contains(name, "alpha"), strings.Contains(name, "rgba"), strings.HasSuffix(name, ".pgm"):
		return 1
	}
	return 0
}

func TestDecodeAsPillow(t *testing.T) {
	var d Decoder
	for name, want := range expected(t) {
		if strings.Contains(name, " ") || name == "rgb.luma" || name == "rgb.whole" {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		h, err := ReadHeader(data, true)
		if err != nil {
			t.Errorf("%s: header: %v", name, err)
			continue
		}
		m, err := d.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if [3]int{m.H, m.W, m.C} != want.Size || h.H != m.H || h.W != m.W || h.Grey != (m.C == 1) {
			t.Errorf("%s: %d×%d×%d, header %+v, want %v", name, m.H, m.W, m.C, h, want.Size)
			continue
		}
		if got := difference(m.Pix, want.Pixels); got > tolerance(name) {
			t.Errorf("%s: differs by %d, at most %d is rounding", name, got, tolerance(name))
		}
	}
}

// The beginning of a file must give the header of the whole, or ask for more.
func TestHeaderOfTheBeginning(t *testing.T) {
	for name := range expected(t) {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			continue // a size or a row, no file
		}
		whole, err := ReadHeader(data, true)
		if err != nil {
			t.Fatal(name, err)
		}
		for n := 1; n < len(data); n += 1 + n/8 {
			h, err := ReadHeader(data[:n], false)
			if err == nil && (h.H != whole.H || h.W != whole.W || h.Grey != whole.Grey) {
				t.Errorf("%s: its first %d bytes give %+v, all give %+v", name, n, h, whole)
			}
		}
	}
}

func TestTurnedBehindThePixels(t *testing.T) {
	data, err := os.ReadFile("testdata/turnbehind.webp")
	if err != nil {
		t.Fatal(err)
	}
	want := expected(t)["turnbehind.webp row"]
	var d Decoder
	m, err := d.Decode(data)
	if err != nil || m.H != 160 || m.W != 150 || !bytes.Equal(m.Pix[:3*150], want.Pixels) {
		t.Errorf("%d×%d (%v)", m.H, m.W, err)
	}
}

// What is valid but not read says what it is.
func TestUnread(t *testing.T) {
	for name, want := range map[string]string{
		"floats.tif": "a TIFF of floating-point numbers", "signed.tif": "a TIFF of signed integers", "wide.tif": "a TIFF of 32 bits a sample",
		"bits12.tif": "a TIFF of 12 bits a sample", "planes.tif": "a TIFF of separate planes", "cmyk.tif": "a TIFF of CMYK",
		"jpeg.tif": "a TIFF with JPEG inside", "big.tif": "a BigTIFF", "bands.tif": "a TIFF of 4 channels", "zstd.tif": "a TIFF with Zstandard inside",
		"greyalpha.tif": "a TIFF of 2 channels", "bits12.jpg": "a JPEG of 12 bits", "lossless.jpg": "a lossless JPEG", "avif.png": "an AVIF image",
		"jxl.png": "a JPEG XL image", "jp2.jpg": "a JPEG 2000 image", "rle.bmp": "BMP",
	} {
		data, err := os.ReadFile(filepath.Join("testdata/unread", name))
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		var unread *Unread
		if _, err := d.Decode(data); !errors.As(err, &unread) || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "not read") {
			t.Errorf("%s: %v, should say %q", name, err, want)
		}
	}
}

// Black strokes on a transparent ground, as drawing programs save them.
func TestBackground(t *testing.T) {
	data, err := os.ReadFile("testdata/rgba.png")
	if err != nil {
		t.Fatal(err)
	}
	black, err := (&Decoder{}).Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	d := Decoder{Background: 255}
	white, err := d.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	source, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i := range white.H * white.W { // both are v·a, and v·a + 255·(1 − a), rounded
		a := int(source.At(i%white.W, i/white.W).(color.NRGBA).A)
		for c := range 3 {
			if got := int(white.Pix[3*i+c]) - int(black.Pix[3*i+c]); got < 254-a || got > 256-a {
				t.Fatalf("pixel %d of opacity %d: %d on white, %d on black", i, a, white.Pix[3*i+c], black.Pix[3*i+c])
			}
		}
	}
	if d.Seen.Clear != 1 || d.Seen.Images != 1 {
		t.Errorf("%+v", d.Seen)
	}
}

// TestRange compares with round(255·(v − lo)/(hi − lo)), clamped.
func TestRange(t *testing.T) {
	for name, r := range map[string][2]float64{"grey16.tif": {1000, 4095}, "rgb16.png": {0, 4095}, "grey.png": {20, 90}, "shallow.pgm": {17, 170}} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		d := Decoder{Range: &r}
		m, err := d.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(m.Pix)
		source, err := d.decode(data, Header{Format: map[string]string{".tif": "tiff", ".png": "png", ".pgm": "pnm"}[filepath.Ext(name)]})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			x, y := i/m.C%m.W, i/m.C/m.W
			c := color.NRGBA64Model.Convert(source.At(x, y)).(color.NRGBA64)
			stored := float64([]uint16{c.R, c.G, c.B}[i%m.C])
			if d.Seen.Deep == 0 {
				stored /= 257
			}
			if want := 255 * max(0, min(1, (stored-r[0])/(r[1]-r[0]))); math.Abs(float64(v)-want) > 0.5 {
				t.Fatalf("%s: value %d, stored %v, is %d, want %v", name, i, stored, v, want)
			}
		}
	}
}

func TestSeen(t *testing.T) {
	for name, want := range map[string]Seen{
		"grey16.png": {Images: 1, Deep: 1}, "paletteclear.png": {Images: 1, Clear: 1},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		if _, err := d.Decode(data); err != nil {
			t.Fatal(err)
		}
		d.Seen.Lo, d.Seen.Hi, d.Seen.Values = 0, 0, false
		if d.Seen != want {
			t.Errorf("%s: %+v, want %+v", name, d.Seen, want)
		}
	}
}

func TestScaleAsPillow(t *testing.T) {
	e := expected(t)
	var d Decoder
	for _, size := range [][2]int{{5, 7}, {26, 40}, {13, 6}, {3, 17}} {
		want := e[fmt.Sprintf("rgb.scaled %dx%d", size[0], size[1])]
		m := d.resize(e["rgb.whole"].image(), size[0], size[1], Fit)
		if got := difference(m.Pix, want.Pixels); m.H != size[0] || m.W != size[1] || got > 1 {
			t.Errorf("%v: %d×%d, differs by %d", size, m.H, m.W, got)
		}
	}
}

func TestLumaAsPillow(t *testing.T) {
	e := expected(t)
	var d Decoder
	out := make([]uint8, 13*17)
	d.Prepare(out, e["rgb.whole"].image(), 13, 17, 1, None)
	if !bytes.Equal(out, e["rgb.luma"].Pixels) {
		t.Error("the grey values differ")
	}
}

// TestPlace cuts and pads a 2×4 image whose values tell where they come from.
func TestPlace(t *testing.T) {
	m := &Image{2, 4, 1, []uint8{10, 11, 12, 13, 20, 21, 22, 23}}
	for _, c := range []struct {
		mode string
		h, w int
		want []uint8
	}{
		{Crop, 2, 2, []uint8{11, 12, 21, 22}},
		{Pad, 4, 4, []uint8{0, 0, 0, 0, 10, 11, 12, 13, 20, 21, 22, 23, 0, 0, 0, 0}},
		{Crop, 2, 3, []uint8{10, 11, 12, 20, 21, 22}},
		{Pad, 3, 4, []uint8{10, 11, 12, 13, 20, 21, 22, 23, 0, 0, 0, 0}},
	} {
		var d Decoder
		out := make([]uint8, c.h*c.w)
		d.Prepare(out, m, c.h, c.w, 1, c.mode)
		if !bytes.Equal(out, c.want) {
			t.Errorf("%s to %d×%d: %v, want %v", c.mode, c.h, c.w, out, c.want)
		}
	}
}

// TestConstant: scaling must not change an image of one colour, nor leave bounds.
func TestConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 40)
		m := Image{H: side.Draw(t, "h"), W: side.Draw(t, "w"), C: rapid.SampledFrom([]int{1, 3}).Draw(t, "c")}
		v := rapid.Byte().Draw(t, "value")
		m.Pix = bytes.Repeat([]byte{v}, m.H*m.W*m.C)
		h, w := side.Draw(t, "to h"), side.Draw(t, "to w")
		var d Decoder
		out := make([]uint8, h*w*m.C)
		d.Prepare(out, &m, h, w, m.C, rapid.SampledFrom([]string{Fit, Crop}).Draw(t, "mode"))
		for _, got := range out {
			if got != v {
				t.Fatalf("%d became %d", v, got)
			}
		}
	})
}

// A picture of which a part is missing says so, in our words.
func TestCutPictures(t *testing.T) {
	for _, name := range []string{"grey.jpg", "cmyk.jpg", "grey.png", "palette.png", "grey.bmp", "lossless.webp", "group40.tif", "ownpalette.gif"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []int{2, 3, 4} {
			_, err := new(Decoder).Decode(data[:len(data)*(part-1)/part])
			if err != nil && (strings.Contains(err.Error(), "invalid") || strings.Contains(err.Error(), "Huffman") || strings.Contains(err.Error(), "EOF")) {
				t.Errorf("%s without its last part of %d: %v", name, part, err)
			}
			if err == nil && !strings.HasSuffix(name, ".jpg") && part == 2 {
				t.Errorf("half of %s was read", name)
			}
		}
	}
}

func TestBadHeaders(t *testing.T) {
	huge := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x10\x00\x00\x00\x10\x00\x00\x08\x02\x00\x00\x00????")
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "is empty"},
		{[]byte("hello, world\x01"), "not a JPEG"},
		{[]byte("\xff\xd8\xff"), "cut off"},
		{[]byte("\xff\xd8\xff\xda\x00\x04\x01\x02"), "no frame header"},
		{huge[:20], "cut off"},
		{huge, "claims 1048576×1048576 pixels"},
		{[]byte("GIF89a\x00\x00\x00\x00\x00\x00\x00"), "size is 0×0"},
	} {
		var d Decoder
		if _, err := d.Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error is %v, should contain %q", c.data, err, c.want)
		}
	}
	if _, err := ReadHeader([]byte("text"), true); !errors.Is(err, ErrFormat) {
		t.Errorf("error is %v", err)
	}
}

// FuzzDecode: what the header promises must come out, or an error.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		if data, err := os.ReadFile(n); err == nil && !strings.HasSuffix(n, ".json") && !strings.HasSuffix(n, ".py") {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHeader(data, true)
		if err != nil || h.H*h.W > 1<<16 {
			return
		}
		var d Decoder
		m, err := d.Decode(data)
		if err == nil && (m.H != h.H || m.W != h.W || len(m.Pix) != m.H*m.W*m.C) {
			t.Fatalf("header %+v, image %d×%d×%d of %d bytes", h, m.H, m.W, m.C, len(m.Pix))
		}
	})
}
