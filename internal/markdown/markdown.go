// Package markdown puts names into Markdown. Names of data sets and classes are
// anybody's: they come out as they are read, and nothing in them is obeyed.
package markdown

import (
	"strings"
	"unicode"
)

// Text escapes s for a line or a cell of a table (CommonMark, section 2.4).
func Text(s string) string {
	var b strings.Builder
	for _, r := range line(s) {
		if strings.ContainsRune("\\`*_[]<>|~&#!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Code is s as a code span, in which a backtick can't be written: it becomes an
// apostrophe.
func Code(s string) string { return "`" + strings.ReplaceAll(line(s), "`", "'") + "`" }

// line is s on one line, with U+FFFD for what can't be shown.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
