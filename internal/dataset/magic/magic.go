// Package magic tells by the first bytes of a file what it is, whatever its name says: a
// pointer of Git LFS or a web page in the place of data, an archive under another's
// ending, an image of a kind that isn't read.
//
// It knows what is found in the place of images and data sets, not all that there is;
// what it doesn't know is nothing.
package magic

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Head is how many bytes Of asks for: those of the file's beginning, or all.
const Head = 512

// Kind is a kind of files.
type Kind struct {
	What  string // with its article
	Fix   string // what to do with one where data are wanted
	Image bool   // it is an image, and could be converted
	// Stray kinds are never what was meant: they stand in a file's place after a download
	// or a checkout that wasn't finished.
	Stray bool
	// Endings are those under which such files are read; nil: none.
	Endings []string
}

// Fits tells whether files of this kind are read under that name.
func (k *Kind) Fits(name string) bool {
	low := strings.ToLower(path.Base(name))
	return slices.ContainsFunc(k.Endings, func(e string) bool { return strings.HasSuffix(low, e) })
}

// ToPNG is what to do with an image of a kind that isn't read.
const ToPNG = "convert it, to PNG for example"

const (
	toNPZ   = `load it in Python and save numpy.savez("data.npz", x_train=…, y_train=…)`
	unpack  = "unpack it and name the folder"
	again   = "get it again"
	endings = "give it an ending that says so: "
)

// lfs begins the files that Git LFS leaves where content wasn't fetched.
const lfs = "version https://git-lfs"

// byMagic are kinds by what stands at an offset.
var byMagic = []struct {
	at    int
	magic string
	Kind
}{
	{0, lfs, Kind{What: "a pointer of Git LFS", Fix: "fetch the file itself by `git lfs pull`", Stray: true}},
	{4, "ftypavif", image("an AVIF image")}, {4, "ftypavis", image("an AVIF image")},
	{4, "ftypheic", image("an HEIC image")}, {4, "ftypheix", image("an HEIC image")}, {4, "ftypmif1", image("an HEIF image")},
	{0, "\x00\x00\x00\x0cJXL ", image("a JPEG XL image")}, {0, "\xff\x0a", image("a JPEG XL image")},
	{0, "\x00\x00\x00\x0cjP  ", image("a JPEG 2000 image")}, {0, "\xff\x4f\xff\x51", image("a JPEG 2000 image")},
	{0, "II+\x00", image("a BigTIFF")}, {0, "MM\x00+", image("a BigTIFF")},
	{0, "8BPS", image("a Photoshop file")}, {0, "\x00\x00\x01\x00", image("a Windows icon")}, {0, "v/1\x01", image("an OpenEXR image")},
	{128, "DICM", image("a DICOM file")}, {0, "%PDF", image("a PDF")}, {0, "<svg", image("an SVG drawing")},
	{0, "PK\x03\x04", other("a zip", endings+".zip, or .npz where it holds arrays", ".zip .npz")}, {0, "PK\x05\x06", other("an empty zip", again, ".zip .npz")},
	{0, "\x1f\x8b", other("a file of gzip", endings+".tar.gz, or unpack it", ".gz .tgz")},
	{0, "\x28\xb5\x2f\xfd", other("a file of Zstandard", endings+".tar.zst, or unpack it", ".zst .tzst")},
	{0, "Rar!\x1a", other("a RAR archive", unpack, "")}, {0, "7z\xbc\xaf\x27\x1c", other("a 7-Zip archive", unpack, "")},
	{0, "BZh", other("a file of bzip2", unpack, "")}, {0, "\xfd7zXZ\x00", other("a file of xz", unpack, "")},
	{257, "ustar", other("a tar", endings+".tar", ".tar")},
	{0, "\x89HDF\r\n\x1a\n", other("HDF5", toNPZ, "")},
	{0, "\x80\x02", other("a Python pickle", toNPZ, "")}, {0, "\x80\x03", other("a Python pickle", toNPZ, "")},
	{0, "\x80\x04", other("a Python pickle", toNPZ, "")}, {0, "\x80\x05", other("a Python pickle", toNPZ, "")},
	{0, "\x93NUMPY", other("a NumPy array", endings+".npy", ".npy")},
	{0, "PAR1", other("Parquet", endings+".parquet", ".parquet")}, {0, "ARROW1", other("an Arrow file", endings+".arrow", ".arrow .feather .ipc")},
	{0, "MATLAB 5.0", other("a MATLAB file", endings+".mat", ".mat")}, {0, "SQLite format 3\x00", other("an SQLite database", toNPZ, "")},
	{0, "\xff\xfe", other("text in UTF-16", "save it as UTF-8", "")}, {0, "\xfe\xff", other("text in UTF-16", "save it as UTF-8", "")},
}

func image(what string) Kind { return Kind{What: what, Fix: ToPNG, Image: true} }

func other(what, fix, of string) Kind { return Kind{What: what, Fix: fix, Endings: strings.Fields(of)} }

// texts are the endings of text.
var texts = strings.Fields(".csv .tsv .txt .json .jsonl .pgm .ppm .pbm .pnm .cls")

// Of is what a file is that begins with head, nil where nothing is known.
func Of(head []byte) *Kind {
	if len(head) > Head {
		head = head[:Head]
	}
	for _, m := range byMagic {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.magic)) {
			return &m.Kind
		}
	}
	text := strings.ToLower(strings.TrimLeftFunc(string(bytes.TrimPrefix(head, []byte("\ufeff"))), unicode.IsSpace))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<head"):
		return &Kind{What: "a web page", Fix: "get it again, by a link to the file itself", Stray: true}
	case strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<svg"):
		k := image("an SVG drawing")
		return &k
	case strings.HasPrefix(text, "<?xml"):
		return &Kind{What: "an XML file, as a server answers", Fix: again}
	case len(head) > 0 && len(bytes.Trim(head, "\x00")) == 0:
		return &Kind{What: "nothing but zeros, at its beginning at least", Fix: again}
	case text != "" && isText(head):
		return &Kind{What: "text", Fix: again, Endings: texts}
	}
	return nil
}

// isText tells whether all of head is printable UTF-8, but for a character that is cut.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n <= 1:
			return len(head) < utf8.UTFMax && !utf8.FullRune(head)
		case !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return false
		}
		head = head[n:]
	}
	return true
}
