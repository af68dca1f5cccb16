package magic

import (
	"bytes"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	ustar := append(make([]byte, 257), "ustar\x0000"...)
	for _, c := range []struct{ head, what, fits, not string }{
		{"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "", "a.csv"},
		{"\ufeff \n<!DOCTYPE HTML>", "a web page", "", "a.zip"},
		{"<?xml version=\"1.0\"?><Error>", "an XML file, as a server answers", "", "a.zip"},
		{"<?xml version=\"1.0\"?><svg>", "an SVG drawing", "", "a.png"},
		{"PK\x03\x04", "a zip", "A.NPZ", "a.tar"},
		{"\x1f\x8b\x08", "a file of gzip", "a.tar.gz", "a.zip"},
		{string(ustar), "a tar", "a.tar", "a.tar.gz"},
		{"\x00\x00\x00\x18ftypheic", "an HEIC image", "", "a.jpg"},
		{"\x80\x04\x95", "a Python pickle", "", "a.npy"},
		{strings.Repeat("\x00", 600), "nothing but zeros, at its beginning at least", "", "a.png"},
		{strings.Repeat("é", 400), "text", "a.csv", "a.png"}, // the last letter is cut
		{"{\"message\": \"Not Found\"}", "text", "a.json", "a.jpg"},
	} {
		k := Of([]byte(c.head))
		if k == nil || k.What != c.what || k.Fits(c.not) || k.Fits(c.fits) != (c.fits != "") || k.Fix == "" {
			t.Errorf("%.20q: %+v, want %s", c.head, k, c.what)
		}
	}
	for _, head := range []string{"", "hello\x01", "\x89PNG\r\n\x1a\n", "\x00\x00\x08\x03", "\xc3"} {
		if k := Of([]byte(head)); k != nil && k.What != "text" {
			t.Errorf("%q is %s", head, k.What)
		}
	}
	if k := Of(bytes.Repeat([]byte("a\xff"), 300)); k != nil {
		t.Errorf("no UTF-8 is %s", k.What)
	}
}
