package cli

import (
	"cmp"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// visible writes text to a terminal, or to a file that one may show. Names in data
// and files may hold what a terminal obeys: control characters come out as \u001b,
// which is also how JSON writes them. What moncae itself redraws a line with passes
// where redraws is set.
type visible struct {
	to      io.Writer
	redraws bool
	failed  error // the first failure to write, which not every library gives back
}

func (v *visible) Write(b []byte) (int, error) {
	if _, err := v.to.Write(v.show(b)); err != nil {
		v.failed = cmp.Or(v.failed, err)
		return 0, err
	}
	return len(b), nil
}

func (v *visible) show(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if n := erase(b[i:]); n > 0 && v.redraws {
			out = append(out, b[i:i+n]...)
			i += n
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '\n' || r == '\t' || r == '\r' && v.redraws || !unicode.IsControl(r) && !reorders(r):
			out = utf8.AppendRune(out, r) // a byte that is no text as U+FFFD
		default:
			out = fmt.Appendf(out, "\\u%04x", r)
		}
		i += n
	}
	return out
}

// erase is the length of the sequence at the beginning of b that erases in a line.
func erase(b []byte) int {
	for _, s := range []string{"\x1b[K", "\x1b[0K", "\x1b[2K"} {
		if len(b) >= len(s) && string(b[:len(s)]) == s {
			return len(s)
		}
	}
	return 0
}

// reorders tells of characters that show a text in another order than it has.
func reorders(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }
