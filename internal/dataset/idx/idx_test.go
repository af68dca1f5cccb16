package idx

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// memory is a file that lies in memory.
func memory(path string, content []byte) source.File {
	if isGzip(path) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(content)
		_ = z.Close()
		content = b.Bytes()
	}
	return source.File{Path: path, Size: int64(len(content)), Stored: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

// encode writes a header and values.
func encode(kind byte, dims []uint32, values ...byte) []byte {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, values...)
}

// images are n images of 2×2 that count up.
func images(n int) []byte {
	values := make([]byte, 4*n)
	for i := range values {
		values[i] = byte(i)
	}
	return encode(8, []uint32{uint32(n), 2, 2}, values...)
}

// drain reads a whole split.
func drain(c *source.Collection, split string) (items []source.Item, err error) {
	s, err := c.Find(split).Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	for {
		var it source.Item
		if err := s.Next(&it); errors.Is(err, io.EOF) {
			return items, nil
		} else if err != nil {
			return items, err
		}
		items = append(items, it)
	}
}

func TestSplitsAndLabels(t *testing.T) {
	list := []source.File{
		memory("a/t10k-images-idx3-ubyte.gz", images(1)),
		memory("a/t10k-labels-idx1-ubyte", encode(8, []uint32{1}, 2)),
		memory("a/train-images.idx3-ubyte", images(3)),
		memory("a/train-images.idx3-ubyte.gz", images(2)), // the plain one wins
		memory("a/train-labels.idx1-ubyte.gz", encode(0x0c, []uint32{3}, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4)),
	}
	c, err := Collect(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Splits) != 2 || c.Splits[0].Name != "train" || c.Splits[0].Rows != 3 || c.Splits[1].Rows != 1 {
		t.Fatalf("splits are %+v", c.Splits)
	}
	if strings.Join(c.Classes, " ") != "0 1 2 3 4" {
		t.Errorf("classes are %v", c.Classes)
	}
	items, err := drain(c, "train")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int32{1, 0, 4} {
		if items[i].Label != want || !bytes.Equal(items[i].Data, []byte{byte(4 * i), byte(4*i + 1), byte(4*i + 2), byte(4*i + 3)}) {
			t.Errorf("image %d is %+v", i, items[i])
		}
	}
	if items, err = drain(c, "test"); err != nil || len(items) != 1 || items[0].Label != 2 {
		t.Errorf("the test split is %+v, %v", items, err)
	}
}

func TestFourDimensions(t *testing.T) {
	for _, dims := range [][]uint32{{1, 3, 2, 2}, {1, 2, 2, 3}} {
		f := memory("x-images-idx4-ubyte", encode(8, dims, make([]byte, 12)...))
		c, err := CollectFile(&f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Raw.Shape.C != 3 || c.Raw.Shape.H != 2 || c.Raw.Planar != (dims[1] == 3) {
			t.Errorf("%v: layout %+v", dims, c.Raw)
		}
	}
}

// TestBadFiles gives every kind of damage, plain and compressed; the error must
// name the file, the offset and the field.
func TestBadFiles(t *testing.T) {
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	huge := encode(8, []uint32{60000, 28, 28}, make([]byte, 100)...)
	cases := []struct {
		name           string
		images, labels []byte
		want           string // in plain; in gzip too where it begins with "="
	}{
		{"empty", nil, nil, "=offset 0 (magic number): the file ends here"},
		{"short header", images(2)[:10], nil, "=offset 10 (dimension 1): the file ends here"},
		{"wrong magic", []byte("P5 28 28 255 xxxxxxxxxxxx"), nil, "=offset 0 (magic number): 0x50352032"},
		{"floats", encode(0x0d, []uint32{1, 2, 2}, make([]byte, 16)...), nil, "float32"},
		{"labels as images", encode(8, []uint32{4}, 1, 2, 3, 4), nil, "=offset 3 (dimensions): 1, images have 3"},
		{"five dimensions", encode(8, []uint32{1, 1, 1, 1, 1}, 1), nil, "=offset 3 (dimensions): 5"},
		{"no channels", encode(8, []uint32{1, 2, 2, 2}, make([]byte, 8)...), nil, "=neither the second nor the last"},
		{"zero side", encode(8, []uint32{1, 0, 2}), nil, "=offset 8 (dimension 1): 0 can't be"},
		{"overflow", encode(8, []uint32{1 << 31, 1 << 31, 1 << 31}), nil, "=dimension 1): 2147483648 can't be"},
		{"giant image", encode(8, []uint32{1, 1 << 14, 1 << 14}), nil, "="},
		{"truncated", cut(images(3), 3), nil, "offset 25 (values): the file ends here"},
		{"bytes follow", append(images(3), 7), nil, "offset 28 (end)"},
		{"huge claim", huge, nil, "=offset"},
		{"label count", images(3), encode(8, []uint32{2}, 0, 1), "=offset 4 (number of labels): 2, but train-images-idx3-ubyte"},
		{"labels cut", images(3), cut(encode(8, []uint32{3}, 0, 1, 2), 1), "=the file ends here"},
		{"labels follow", images(3), encode(8, []uint32{3}, 0, 1, 2, 3), "offset 11 (end)"},
		{"negative label", images(1), encode(0x0c, []uint32{1}, 255, 255, 255, 255), "=offset 8 (label 0): -1"},
		{"labels are images", images(1), images(1), "=labels are integers in one"},
	}
	for _, c := range cases {
		for _, ending := range []string{"", ".gz"} {
			list := []source.File{memory("train-images-idx3-ubyte"+ending, c.images)}
			if c.labels != nil {
				list = append(list, memory("train-labels-idx1-ubyte"+ending, c.labels))
			}
			col, err := Collect(list)
			if err == nil {
				_, err = drain(col, "train")
			}
			want, both := strings.CutPrefix(c.want, "=")
			if err == nil || fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), ending) ||
				(both || ending == "") && !strings.Contains(err.Error(), want) {
				t.Errorf("%s%s: error is %v, should contain %q", c.name, ending, err, want)
			}
		}
	}
}

func TestTruncatedGzip(t *testing.T) {
	f := memory("train-images-idx3-ubyte.gz", images(200))
	full, _ := f.Open()
	b, _ := io.ReadAll(full)
	f.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b[:len(b)-60])), nil }
	c, err := Collect([]source.File{f})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = drain(c, "train"); err == nil || !strings.Contains(err.Error(), "truncated") || !strings.Contains(err.Error(), "(image ") {
		t.Errorf("error is %v", err)
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(images(3), encode(8, []uint32{3}, 0, 1, 2))
	f.Add(encode(8, []uint32{1, 2, 2, 3}, make([]byte, 12)...), encode(0x0c, []uint32{1}, 0, 0, 0, 9))
	f.Add(images(3)[:20], []byte{})
	f.Fuzz(func(t *testing.T, img, lab []byte) {
		list := []source.File{memory("train-images-idx3-ubyte", img), memory("train-labels-idx1-ubyte", lab)}
		c, err := Collect(list)
		if err != nil {
			if fault.Of(err) != fault.Usage {
				t.Fatalf("no fault of the user's: %v", err)
			}
			return
		}
		items, err := drain(c, "train")
		if err != nil {
			t.Fatalf("accepted, and then: %v", err)
		}
		if int64(len(items)) != c.Splits[0].Rows {
			t.Fatalf("%d images of %d", len(items), c.Splits[0].Rows)
		}
	})
}
