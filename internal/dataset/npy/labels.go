package npy

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// labelsOf are the words of the labels of an array's images, nil where they give none,
// which is noted.
func (a *array) labelsOf(c *source.Collection) ([]string, error) {
	l := a.labels
	why := l.unfit()
	if l.err == nil && l.rows() != a.rows() {
		return nil, fault.Usagef("%s: holds %d labels, %s holds %d images", l.Path, l.rows(), a.Path, a.rows())
	}
	var words []string
	if why == "" {
		var err error
		if words, why, err = l.words(); err != nil {
			return nil, err
		}
	}
	if why != "" {
		c.LeftOut.Add("arrays of labels that give no classes: "+why, l.Path, 1)
		return nil, nil
	}
	if l.row() > 1 {
		c.Notes = append(c.Notes, fmt.Sprintf("the labels in %s are taken for one 1 among %d a row", l.Path, l.row()))
	}
	return words, nil
}

// unfit is why an array can't be labels, "" if it can.
func (a *array) unfit() string {
	const most = 1 << 20 // values a row
	switch {
	case a.err != nil:
		return strings.TrimPrefix(a.err.Error(), a.Path+": ")
	case a.row() > most || a.row() > 1 && (a.kind == 'U' || a.kind == 'S'):
		return fmt.Sprintf("%s values", a.header)
	}
	return ""
}

// words reads labels: numbers, text, or rows with a single 1. A label of −1 is none.
func (a *array) words() (out []string, why string, err error) {
	r, err := open(a.File)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = r.disk.Close() }() // only read
	b := make([]byte, int(r.row())*r.width)
	for i := range r.rows() {
		if err := r.read(b); err != nil {
			return nil, "", err
		}
		var word string
		switch {
		case r.kind == 'U' || r.kind == 'S':
			word = r.text(b)
		case r.row() > 1:
			word, why = r.oneHot(b)
		default:
			word, why, err = r.number(b)
		}
		if err != nil {
			return nil, "", fault.Usagef("%s: label %d: %w", a.Path, i, err)
		}
		if why != "" {
			return nil, why, nil
		}
		out = append(out, word)
	}
	return out, "", nil
}

func (h header) number(b []byte) (word, why string, err error) {
	v := h.value(b)
	switch {
	case v == -1:
		return "", "", nil
	case v != math.Trunc(v):
		return "", fmt.Sprintf("%v is a measure", v), nil
	}
	return strconv.FormatFloat(v, 'f', 0, 64), "", source.CheckClass(int64(v))
}

// oneHot is the place of the one 1 in a row.
func (h header) oneHot(b []byte) (word, why string) {
	ones, at := 0, 0
	for i := range int(h.row()) {
		switch h.value(b[i*h.width:]) {
		case 0:
		case 1:
			ones++
			at = i
		default:
			ones = math.MinInt32
		}
	}
	if ones != 1 {
		return "", fmt.Sprintf("%d numbers an image, where one class is needed", h.row())
	}
	return strconv.Itoa(at), ""
}

// text is a string, which zeros fill up.
func (h header) text(b []byte) string {
	if h.kind == 'S' {
		b = bytes.TrimRight(b, "\x00")
		if !utf8.Valid(b) {
			return strings.ToValidUTF8(string(b), "?")
		}
		return string(b)
	}
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		if r := rune(h.order.Uint32(b)); r != 0 {
			s.WriteRune(r)
		}
	}
	return s.String()
}
