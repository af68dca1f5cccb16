package files

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// validPath is a path as UTF-8, which every file that paths are written to needs:
// bytes that are none become %XX.
func validPath(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", name[0])
		} else {
			b.WriteString(name[:n])
		}
		name = name[n:]
	}
	return b.String()
}

// unicodePath is the extra field of a zip's member that has its name in UTF-8
// (Info-ZIP's 0x7075, section 4.6.9 of the format's APPNOTE).
const unicodePath = 0x7075

// zipName is the name of a zip's member as UTF-8: its own if it is that, the extra
// field's, or else read in code page 437, the format's default. Old archivers of
// Windows write backslashes.
func zipName(name string, extra []byte) string {
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	if utf8.ValidString(name) {
		return name
	}
	for len(extra) >= 4 {
		kind, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if size > len(extra)-4 {
			break
		}
		field := extra[4 : 4+size]
		extra = extra[4+size:]
		if kind == unicodePath && size > 5 && field[0] == 1 && utf8.Valid(field[5:]) && binary.LittleEndian.Uint32(field[1:]) == crc32.ChecksumIEEE([]byte(name)) {
			return string(field[5:])
		}
	}
	decoded, err := charmap.CodePage437.NewDecoder().String(name)
	if err != nil { // never: it knows every byte
		return name
	}
	return decoded
}
