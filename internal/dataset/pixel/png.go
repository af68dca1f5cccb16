package pixel

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// readPNG reads IHDR, and the other chunks for a palette and an orientation. An
// orientation may come behind the pixels: unless it can't matter to the size,
// only a whole file tells.
func (h *Header) readPNG(data []byte, whole bool) error {
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return errShort
	}
	w, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w > 1<<30 || height > 1<<30 {
		return fmt.Errorf("its header claims %d×%d pixels", height, w)
	}
	h.H, h.W = int(height), int(w)
	kind := data[25]
	h.Grey = kind == 0 || kind == 4
	palette := kind != 3
	var exif, xmp []byte
	for i := 33; i+8 <= len(data); {
		size, name := int64(binary.BigEndian.Uint32(data[i:])), string(data[i+4:i+8])
		if name == "IEND" {
			whole = true
			break
		}
		if int64(i)+12+size > int64(len(data)) {
			break
		}
		body := data[i+8 : i+8+int(size)]
		switch {
		case name == "PLTE" && kind == 3:
			h.Grey, palette = greyTriples(body), true
		case name == "eXIf":
			exif = body
		case name == "tEXt" && exif == nil:
			exif = rawProfile(string(body))
		case name == "iTXt" && strings.HasPrefix(string(body), "XML:com.adobe.xmp\x00"):
			xmp = body
		}
		i += 12 + int(size)
	}
	h.turn = turnOf(exif, xmp)
	if !whole && (h.H != h.W || !palette) {
		return errShort
	}
	return nil
}

// rawProfile is EXIF as ImageMagick writes it into a text: a name, a length, and
// hexadecimal digits. Nil where the text is another.
func rawProfile(text string) []byte {
	name, value, _ := strings.Cut(text, "\x00")
	if name != "Raw profile type exif" && name != "Raw profile type APP1" {
		return nil
	}
	lines := strings.Fields(value)
	if len(lines) < 3 {
		return nil
	}
	b, err := hex.DecodeString(strings.Join(lines[2:], ""))
	if err != nil {
		return nil
	}
	return b
}
