package columnar

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// FuzzColumns reads damaged files to their end: an error of the user's, never a
// panic, and no more memory than a file of that size can stand for.
func FuzzColumns(f *testing.F) {
	for _, n := range []string{"words.parquet", "null.parquet", "shards/test-00000-of-00001.parquet", "words.arrow", "tensor.arrow", "polars.arrow", "views.arrow", "categories.arrow"} {
		b, err := os.ReadFile(filepath.Join("testdata", n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.arrow")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := readWhole(path); err != nil && fault.Of(err) != fault.Usage {
			t.Fatalf("no fault of the user's: %v", err)
		}
	})
}

func readWhole(path string) error {
	c, err := Collect("", []source.File{{Path: path, Disk: path}}, source.Columns{})
	if err != nil {
		return err
	}
	for _, s := range c.Splits {
		st, err := s.Open()
		if err != nil {
			return err
		}
		for err == nil {
			err = st.Next(&source.Item{})
			if bad := (*source.Bad)(nil); errors.As(err, &bad) {
				err = nil
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err = errors.Join(err, st.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Views have as many buffers as a list says, which arrow-go reads past its end.
func TestChangedBytesOfViews(t *testing.T) {
	for _, name := range []string{"views.arrow", "categories.arrow"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		for i, old := range b {
			for _, v := range []byte{0, 0xff} {
				b[i] = v
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := readWhole(path); err != nil && fault.Of(err) != fault.Usage {
					t.Fatalf("%s, byte %d = %#x: %v", name, i, v, err)
				}
			}
			b[i] = old
		}
	}
}
