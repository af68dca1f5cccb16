package pixel

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// turnOf is the orientation that EXIF tells, or XMP where EXIF has none, as
// Pillow takes them; 1, upright, without either.
func turnOf(exif, xmp []byte) int {
	if turn := orientation(bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))); turn > 0 {
		return turn
	}
	if m := xmpTurn.FindSubmatch(xmp); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}

var xmpTurn = regexp.MustCompile(`tiff:Orientation(?:="|>)([1-8])`)

// orientation finds the orientation (tag 0x0112 of the first directory) in a
// TIFF structure, as EXIF holds it; 0 where there is none.
func orientation(tiff []byte) int {
	d, err := readDirectory(tiff)
	if err != nil {
		return 0
	}
	if v := d.one(tagOrientation, 0); v <= 8 {
		return int(v)
	}
	return 0
}

// Tags of TIFF directories.
const (
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagOrientation  = 274
	tagSamples      = 277
	tagPlanar       = 284
	tagT4Options    = 292
	tagPredictor    = 317
	tagExtraSamples = 338
	tagSampleFormat = 339
)

// directory is the part of a TIFF directory that is understood here: the tags
// with unsigned integers, few of them.
type directory struct {
	tags map[uint16][]uint32
}

// one is the first value of a tag, or what it is without the tag.
func (d directory) one(tag uint16, standard uint32) uint32 {
	if v := d.tags[tag]; len(v) > 0 {
		return v[0]
	}
	return standard
}

// readDirectory reads the first directory of a TIFF structure.
func readDirectory(tiff []byte) (directory, error) {
	d := directory{tags: map[uint16][]uint32{}}
	if len(tiff) < 8 {
		return d, errShort
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return d, errShort
	}
	count := int(order.Uint16(tiff[at:]))
	entries := tiff[at+2:]
	for range count {
		if len(entries) < 12 {
			return d, errShort
		}
		d.add(tiff, entries[:12], order)
		entries = entries[12:]
	}
	return d, nil
}

// maxValues of a tag are kept: more than any tag has that matters here.
const maxValues = 16

// add keeps an entry's values if they are of the types byte, short or long.
func (d *directory) add(tiff, entry []byte, order binary.ByteOrder) {
	width := map[uint16]int{1: 1, 3: 2, 4: 4}[order.Uint16(entry[2:])]
	count := min(int64(order.Uint32(entry[4:])), maxValues)
	values := entry[8:]
	if size := count * int64(width); width == 0 {
		return
	} else if size > 4 {
		at := int64(order.Uint32(values))
		if at+size > int64(len(tiff)) {
			return
		}
		values = tiff[at:]
	}
	tag := order.Uint16(entry)
	for i := range int(count) {
		switch width {
		case 1:
			d.tags[tag] = append(d.tags[tag], uint32(values[i]))
		case 2:
			d.tags[tag] = append(d.tags[tag], uint32(order.Uint16(values[2*i:])))
		case 4:
			d.tags[tag] = append(d.tags[tag], order.Uint32(values[4*i:]))
		}
	}
}

// upright undoes an EXIF orientation: src as stored, dst as it should be seen.
func upright(dst, src *Image, turn int) {
	h, w := src.H, src.W
	if turn >= 5 {
		h, w = w, h
	}
	dst.reset(h, w, src.C)
	for y := range h {
		for x := range w {
			var sy, sx int
			switch turn {
			case 2:
				sy, sx = y, w-1-x
			case 3:
				sy, sx = h-1-y, w-1-x
			case 4:
				sy, sx = h-1-y, x
			case 5:
				sy, sx = x, y
			case 6:
				sy, sx = src.H-1-x, y
			case 7:
				sy, sx = src.H-1-x, src.W-1-y
			case 8:
				sy, sx = x, src.W-1-y
			default:
				sy, sx = y, x
			}
			copy(dst.Pix[(y*w+x)*src.C:][:src.C], src.Pix[(sy*src.W+sx)*src.C:])
		}
	}
}
