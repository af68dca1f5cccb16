package pixel

import (
	"bytes"
	"encoding/binary"
)

// orientation finds the orientation (tag 0x0112 of the first directory) in a
// TIFF structure, as EXIF holds it; 1, upright, where there is none.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// webpEXIF is the EXIF chunk of a WebP file, nil where there is none.
func webpEXIF(data []byte) []byte {
	for i := 12; i+8 <= len(data); {
		size := int64(binary.LittleEndian.Uint32(data[i+4:]))
		end := int64(i) + 8 + size
		if end > int64(len(data)) {
			return nil
		}
		if string(data[i:i+4]) == "EXIF" {
			return bytes.TrimPrefix(data[i+8:end], []byte("Exif\x00\x00"))
		}
		i = int(end + size&1)
	}
	return nil
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
