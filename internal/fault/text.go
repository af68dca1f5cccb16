package fault

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// Text is what an error says to the person at the terminal, on one line: what Go's
// libraries say of files is replaced by what it means for them.
func Text(err error) string {
	text := replace(err.Error(), err)
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Name is the name of a file, a class or the like as a line of text has it: control
// characters come out as \u000a, which is also how JSON writes them, lest a line feed
// break the line.
func Name(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// replace does so for all errors that err wraps.
func replace(text string, err error) string {
	if says := meaning(err); says != "" {
		if at := strings.LastIndex(text, err.Error()); at >= 0 {
			text = withoutPath(text[:at], err) + says + text[at+len(err.Error()):]
		}
		return text
	}
	switch e := err.(type) { //nolint:errorlint // it is the chain that is walked
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return replace(text, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text = replace(text, inner)
		}
	}
	return text
}

const cutOff = "it ends too early: it is empty, or was cut off"

// meanings are those of the libraries' own errors.
var meanings = map[error]string{
	io.EOF:              cutOff,
	io.ErrUnexpectedEOF: cutOff,
	gzip.ErrHeader:      "it doesn't begin as gzip does",
	gzip.ErrChecksum:    "its checksum is another one: it is damaged",
	zlib.ErrHeader:      "its compressed bytes are damaged",
	zlib.ErrChecksum:    "its compressed bytes are damaged",
	tar.ErrHeader:       "it is no tar, or damaged",
	zip.ErrFormat:       "it is no zip, or damaged",
	zip.ErrChecksum:     "its checksum is another one: it is damaged",
	zip.ErrAlgorithm:    "it is compressed in a way that isn't read; unpack the archive and name the folder",
	csv.ErrBareQuote:    "a quote stands within a field that doesn't begin with one",
	csv.ErrQuote:        "a quote isn't closed, or text follows one that is",
}

// meaning is what one error means, "" where it says so itself.
func meaning(err error) string {
	switch e := err.(type) { //nolint:errorlint // replace walks the chain
	case *fs.PathError:
		return fmt.Sprintf("%s: %s", cmp.Or(Name(e.Path), `""`), onDisk(e.Err))
	case *os.LinkError:
		return fmt.Sprintf("%s, to be %s: %s", e.Old, e.New, onDisk(e.Err))
	case *json.SyntaxError:
		if strings.HasPrefix(e.Error(), "unexpected end") {
			return fmt.Sprintf("byte %d: it ends within its JSON: it is empty, or was cut off", e.Offset)
		}
		return fmt.Sprintf("byte %d: it is no JSON, or damaged", e.Offset)
	case *json.UnmarshalTypeError:
		if e.Field == "" {
			return fmt.Sprintf("byte %d: a JSON %s stands where something else is wanted", e.Offset, e.Value)
		}
		return fmt.Sprintf("byte %d, field %s: a JSON %s stands where something else is wanted", e.Offset, e.Field, e.Value)
	case *strconv.NumError:
		return fmt.Sprintf("%q is no number that fits", e.Num)
	case *csv.ParseError:
		return fmt.Sprintf("line %d: %s", e.Line, replace(e.Err.Error(), e.Err))
	case flate.CorruptInputError:
		return "its compressed bytes are damaged"
	}
	for known, says := range meanings {
		if err == known { //nolint:errorlint // replace walks the chain
			return says
		}
	}
	return ""
}
