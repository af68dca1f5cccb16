package pixel

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"regexp"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Unread is the error for a file that is, as far as its header tells, a valid
// image of a kind that is not read.
type Unread struct{ What string }

func (u *Unread) Error() string { return u.What + " is not read" }

// Unwrap makes every Unread an ErrFormat.
func (u *Unread) Unwrap() error { return ErrFormat }

// ErrFormat is the error for bytes that are no image of a known format.
var ErrFormat = errors.New("not a JPEG, PNG, GIF, BMP, WebP, TIFF or PNM image")

// errShort says that a header goes on beyond the bytes at hand.
var errShort = errors.New("its header is cut off")

// names are the formats' names as people write them.
var names = map[string]string{"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WebP", "tiff": "TIFF", "pnm": "PNM"}

// others are kinds of files that lie among images, by what stands at offset at.
var others = []struct {
	at    int
	magic string
	what  string
}{
	{4, "ftypavif", "an AVIF image"}, {4, "ftypavis", "an AVIF image"},
	{4, "ftypheic", "an HEIC image"}, {4, "ftypheix", "an HEIC image"}, {4, "ftypmif1", "an HEIF image"},
	{0, "\x00\x00\x00\x0cJXL ", "a JPEG XL image"}, {0, "\xff\x0a", "a JPEG XL image"},
	{0, "\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"}, {0, "\xff\x4f\xff\x51", "a JPEG 2000 image"},
	{0, "II+\x00", "a BigTIFF"}, {0, "MM\x00+", "a BigTIFF"},
	{0, "8BPS", "a Photoshop file"}, {0, "\x00\x00\x01\x00", "a Windows icon"}, {0, "v/1\x01", "an OpenEXR image"},
	{128, "DICM", "a DICOM file"}, {0, "%PDF", "a PDF"}, {0, "<svg", "an SVG drawing"}, {0, "<?xml", "an XML file"},
	{0, "<!DOCTYPE html", "a web page"}, {0, "<!doctype html", "a web page"}, {0, "<html", "a web page"},
	{0, "version https://git-lfs", "a pointer of Git LFS (`git lfs pull` fetches the image)"},
	{0, "PK\x03\x04", "a zip"}, {0, "\x1f\x8b", "a file of gzip"}, {0, "\x93NUMPY", "a NumPy array"},
}

// unknown is the error for bytes that begin as none of the formats.
func unknown(data []byte) error {
	if len(data) == 0 {
		return errors.New("the file is empty")
	}
	for _, o := range others {
		if len(data) >= o.at && bytes.HasPrefix(data[o.at:], []byte(o.magic)) {
			return &Unread{o.what}
		}
	}
	return ErrFormat
}

// prefixes are the packages that decoders' errors begin with.
var prefixes = regexp.MustCompile(`^((jpeg|png|gif|bmp|webp|tiff|riff|vp8l?|lzw|ccitt|zlib|flate)(: |$))+((invalid (JPEG )?format|format error):? ?)?`)

// explain says in our words what a decoder found.
func explain(format string, err error) error {
	name := names[format]
	var unread *Unread
	var forJPEG jpeg.UnsupportedError
	var forPNG png.UnsupportedError
	var forTIFF tiff.UnsupportedError
	switch {
	case errors.As(err, &unread):
		return err
	case errors.As(err, &forJPEG):
		return &Unread{fmt.Sprintf("this kind of JPEG (%s)", string(forJPEG))}
	case errors.As(err, &forPNG):
		return &Unread{fmt.Sprintf("this kind of PNG (%s)", string(forPNG))}
	case errors.As(err, &forTIFF):
		return &Unread{fmt.Sprintf("this kind of TIFF (%s)", string(forTIFF))}
	case errors.Is(err, bmp.ErrUnsupported):
		return &Unread{"this kind of BMP (run lengths, 16 bits, or an unusual header)"}
	case errors.Is(err, errShort), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s is cut off", name)
	}
	switch what := prefixes.ReplaceAllString(err.Error(), ""); {
	case strings.HasPrefix(what, "flate: "), strings.HasPrefix(what, "zlib: "):
		return fmt.Errorf("the %s is damaged: its compressed bytes are not those that were written", name)
	case what != "":
		return fmt.Errorf("the %s is damaged: %s", name, what)
	}
	return fmt.Errorf("the %s is damaged", name)
}
