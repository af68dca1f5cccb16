package pixel

import (
	"bytes"
	"cmp"
	"fmt"
	"image"

	"golang.org/x/image/tiff"
)

func (h *Header) readTIFF(data []byte, _ bool) error {
	d, err := readDirectory(data)
	if err != nil {
		return err
	}
	if err := d.readable(); err != nil {
		return err
	}
	h.tiff = d
	if h.turn = int(d.one(tagOrientation, 1)); h.turn < 1 || h.turn > 8 {
		h.turn = 1
	}
	return h.readConfig(tiff.DecodeConfig(bytes.NewReader(data)))
}

// The compressions and colours of TIFF that are read, and the names of others.
const (
	tiffRaw, tiffGroup3, tiffGroup4, tiffPackBits = 1, 3, 4, 32773
	tiffWhiteIsZero, tiffBlackIsZero              = 0, 1
	tiffRGB                                       = 2
)

var (
	tiffCompressions = map[uint32]string{
		0: "", tiffRaw: "", tiffGroup3: "", tiffGroup4: "", 5: "", 8: "", tiffPackBits: "", 32946: "",
		2: "CCITT run lengths", 6: "JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP",
	}
	tiffColours = map[uint32]string{tiffWhiteIsZero: "", tiffBlackIsZero: "", tiffRGB: "", 3: "", 4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
	tiffFormats = map[uint32]string{1: "", 4: "", 2: "signed integers", 3: "floating-point numbers"}
)

// readable refuses what the library doesn't read, or would read wrong.
func (d directory) readable() error {
	samples := max(d.one(tagSamples, 1), uint32(len(d.tags[tagBits])))
	compression, photometric := d.one(tagCompression, tiffRaw), d.one(tagPhotometric, tiffBlackIsZero)
	ccitt := compression == tiffGroup3 || compression == tiffGroup4
	for _, format := range d.tags[tagSampleFormat] {
		if name := tiffFormats[format]; name != "" {
			return tiffOf("%s", name)
		}
	}
	for _, bits := range d.tags[tagBits] {
		if bits != d.tags[tagBits][0] || bits != 1 && bits != 8 && bits != 16 {
			return tiffOf("%d bits a sample", bits)
		}
	}
	name, known := tiffCompressions[compression]
	switch {
	case !known:
		return unreadKind("a TIFF with compression %d", compression)
	case name != "":
		return unreadKind("a TIFF with %s inside", name)
	}
	if name, known := tiffColours[photometric]; !known || name != "" {
		return tiffOf("%s", cmp.Or(name, fmt.Sprintf("colour model %d", photometric)))
	}
	switch {
	case samples > 1 && d.one(tagPlanar, 1) != 1:
		return tiffOf("separate planes")
	case photometric == tiffRGB && samples == 4 && d.one(tagExtraSamples, 0) == 0, samples > 4, photometric != tiffRGB && samples > 1:
		return tiffOf("%d channels that aren't RGB or RGBA", samples)
	case ccitt && d.one(tagBits, 1) != 1:
		return tiffOf("fax compression in %d bits", d.one(tagBits, 1))
	case compression == tiffGroup3 && d.one(tagT4Options, 0)&3 != 0:
		return tiffOf("two-dimensional fax compression (group 3)")
	case !ccitt && d.one(tagFillOrder, 1) != 1:
		return tiffOf("reversed bits")
	case d.one(tagPredictor, 1) > 2, d.one(tagPredictor, 1) == 2 && (compression == tiffRaw || compression == tiffPackBits):
		return tiffOf("predictor %d", d.one(tagPredictor, 1))
	}
	return nil
}

func tiffOf(format string, args ...any) error {
	return unreadKind("a TIFF of "+format, args...)
}

// decodeTIFF decodes the first page. Fax compression knows black and white runs,
// and writes black as 1 whatever the file says of the bits' colours; the library
// writes the colours of the runs instead, which is the inverse where 0 is black.
func decodeTIFF(data *bytes.Reader, d directory) (image.Image, error) {
	m, err := tiff.Decode(data)
	if err != nil {
		return nil, err
	}
	compression := d.one(tagCompression, tiffRaw)
	fax := compression == tiffGroup3 || compression == tiffGroup4
	if grey, ok := m.(*image.Gray); ok && fax && d.one(tagPhotometric, tiffBlackIsZero) == tiffBlackIsZero {
		for i, v := range grey.Pix {
			grey.Pix[i] = ^v
		}
	}
	return m, nil
}
