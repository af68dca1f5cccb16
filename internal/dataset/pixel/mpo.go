package pixel

import (
	"bytes"
	"encoding/binary"
)

// jpegFrames is the number of images that a JPEG's segment of the multi-picture format (CIPA
// DC-007) announces: an MPO of a stereo camera, or a photograph with a depth or gain map behind it.
// Larger thumbnails of the first image, types 0x01…, don't count.
func jpegFrames(data []byte) int {
	for at := 2; at+4 <= len(data) && data[at] == 0xff && data[at+1] != 0xda; {
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(data) {
			return 1
		}
		if index, found := bytes.CutPrefix(data[at+4:end], []byte("MPF\x00")); found && data[at+1] == 0xe2 {
			return indexed(index)
		}
		at = end
	}
	return 1
}

// indexed counts the images of a multi-picture index, a TIFF's directory.
func indexed(index []byte) int {
	const list, field, entry, kind = 0xb002, 12, 16, 0xff0000
	if len(index) < 8 {
		return 1
	}
	order := binary.ByteOrder(binary.BigEndian)
	if index[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(index[4:]))
	if at+2 > int64(len(index)) {
		return 1
	}
	n := 0
	for i := at + 2; i < at+2+int64(order.Uint16(index[at:]))*field && i+field <= int64(len(index)); i += field {
		if order.Uint16(index[i:]) != list {
			continue
		}
		from, size := int64(order.Uint32(index[i+8:])), int64(order.Uint32(index[i+4:]))
		for e := from; e < from+size && e+entry <= int64(len(index)); e += entry {
			if order.Uint32(index[e:])&kind != 0x010000 {
				n++
			}
		}
	}
	return n
}
