package pixel

import (
	"bytes"
	"encoding/binary"
)

// Frames is the number of images in a file: pages of a TIFF, pictures of an MPO, frames
// of an animation (GIF, WebP, PNG). It is 1 where there is one, or where that can't be told.
func Frames(data []byte) int {
	n := 1
	switch {
	case len(data) < 8:
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		n = jpegFrames(data)
	case bytes.HasPrefix(data, []byte("II*\x00")):
		n = pages(data, binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("MM\x00*")):
		n = pages(data, binary.BigEndian)
	case bytes.HasPrefix(data, []byte("GIF8")):
		n = gifFrames(data)
	case bytes.HasPrefix(data, []byte("RIFF")) && len(data) > 12:
		n = webpFrames(data[12:])
	case bytes.HasPrefix(data, []byte("\x89PNG")) && len(data) > 8:
		n = pngFrames(data[8:])
	}
	return max(n, 1)
}

// mostPages ends a list of pages that goes in a circle.
const mostPages = 1 << 16

// pages counts the directories of a TIFF that are no smaller copies (bit 0 of the
// tag NewSubfileType).
func pages(data []byte, order binary.ByteOrder) int {
	const newSubfileType, entry = 254, 12
	n, at := 0, int64(order.Uint32(data[4:]))
	for range mostPages {
		if at < 8 || at+2 > int64(len(data)) {
			break
		}
		tags := int64(order.Uint16(data[at:]))
		end := at + 2 + tags*entry
		if end+4 > int64(len(data)) {
			break
		}
		n++
		for i := at + 2; i < end; i += entry {
			if order.Uint16(data[i:]) == newSubfileType && order.Uint32(data[i+8:])&1 != 0 {
				n--
			}
		}
		at = int64(order.Uint32(data[end:]))
	}
	return n
}

// gifFrames counts image descriptors; see GIF89a, sections 18 to 24.
func gifFrames(data []byte) int {
	const header, descriptor = 13, 10
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(data) < header {
		return 1
	}
	n := 0
	for at := header + table(data[10]); at+descriptor < len(data); {
		switch data[at] {
		case 0x21:
			at += 2
		case 0x2c:
			n++
			at += descriptor + table(data[at+9]) + 1
		default:
			return n
		}
		for at < len(data) && data[at] != 0 { // blocks of data
			at += int(data[at]) + 1
		}
		at++
	}
	return n
}

func webpFrames(chunks []byte) int {
	n := 0
	for len(chunks) >= 8 {
		if string(chunks[:4]) == "ANMF" {
			n++
		}
		size := int64(binary.LittleEndian.Uint32(chunks[4:]))
		chunks = chunks[min(8+size+size&1, int64(len(chunks))):]
	}
	return n
}

// pngFrames is what the chunk acTL says, which comes before the pixels.
func pngFrames(chunks []byte) int {
	for len(chunks) >= 16 {
		size := int64(binary.BigEndian.Uint32(chunks))
		switch string(chunks[4:8]) {
		case "acTL":
			return int(binary.BigEndian.Uint32(chunks[8:]))
		case "IDAT":
			return 1
		}
		chunks = chunks[min(12+size, int64(len(chunks))):]
	}
	return 1
}
