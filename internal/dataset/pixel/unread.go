package pixel

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"regexp"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"moncae/internal/dataset/magic"
)

// Unread is the error for a file that is no image of a kind that is read, but of one that
// its header tells.
type Unread struct {
	What, Fix string
	other     bool // it is no image at all
}

func (u *Unread) Error() string {
	if u.other {
		return "it is " + u.What + ", not an image"
	}
	return u.What + " is not read"
}

// Unwrap makes every Unread an ErrFormat.
func (u *Unread) Unwrap() error { return ErrFormat }

// unreadKind is the error for an image of a known format, but of a kind of it that isn't read.
func unreadKind(format string, args ...any) *Unread {
	return &Unread{What: fmt.Sprintf(format, args...), Fix: magic.ToPNG}
}

// ErrFormat is the error for bytes that are no image of a known format.
var ErrFormat = errors.New("not a JPEG, PNG, GIF, BMP, WebP, TIFF or PNM image")

// errShort says that a header goes on beyond the bytes at hand.
var errShort = errors.New("its header is cut off")

// names are the formats' names as people write them.
var names = map[string]string{"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WebP", "tiff": "TIFF", "pnm": "PNM"}

// unknown is the error for bytes that begin as none of the formats.
func unknown(data []byte) error {
	if len(data) == 0 {
		return errors.New("the file is empty")
	}
	if k := magic.Of(data); k != nil {
		return &Unread{What: k.What, Fix: k.Fix, other: !k.Image}
	}
	return ErrFormat
}

// prefixes are the packages that decoders' errors begin with.
var prefixes = regexp.MustCompile(`^((jpeg|png|gif|bmp|webp|tiff|riff|vp8l?|lzw|ccitt|zlib|flate)(: |$))*((invalid (JPEG )?format|format error):? ?)?`)

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
		return unreadKind("this kind of JPEG (%s)", string(forJPEG))
	case errors.As(err, &forPNG):
		return unreadKind("this kind of PNG (%s)", string(forPNG))
	case errors.As(err, &forTIFF):
		return unreadKind("this kind of TIFF (%s)", string(forTIFF))
	case errors.Is(err, bmp.ErrUnsupported):
		return unreadKind("this kind of BMP (run lengths, 16 bits, or an unusual header)")
	case errors.Is(err, errShort), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s is cut off", name)
	}
	switch what := prefixes.ReplaceAllString(err.Error(), ""); {
	case what == "short Huffman data", what == "not enough pixel data":
		return fmt.Errorf("the %s is damaged, or cut off: pixels are missing", name)
	case strings.HasPrefix(what, "flate: "), strings.HasPrefix(what, "zlib: "):
		return fmt.Errorf("the %s is damaged: its compressed bytes are not those that were written", name)
	case what != "":
		return fmt.Errorf("the %s is damaged: %s", name, what)
	}
	return fmt.Errorf("the %s is damaged", name)
}
