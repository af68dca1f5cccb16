package cifar

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

func memory(path string, content []byte) source.File {
	return source.File{Path: path, Size: int64(len(content)), Stored: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

// record is the labels and pixels that all have one value.
func record(v byte, labels ...byte) []byte {
	return append(labels, bytes.Repeat([]byte{v}, pixels)...)
}

func read(t *testing.T, c *source.Collection, split string) (labels []int32, values []byte, err error) {
	st, err := c.Find(split).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	var it source.Item
	for {
		if err := st.Next(&it); errors.Is(err, io.EOF) {
			return labels, values, nil
		} else if err != nil {
			return nil, nil, err
		}
		if len(it.Data) != pixels {
			t.Fatalf("%d values", len(it.Data))
		}
		labels, values = append(labels, it.Label), append(values, it.Data[0], it.Data[pixels-1])
	}
}

func TestTen(t *testing.T) {
	c, err := Collect([]source.File{
		memory("x/batches.meta.txt", []byte("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n")),
		memory("x/data_batch_1.bin", append(record(10, 3), record(11, 4)...)),
		memory("x/data_batch_2.bin", record(12, 9)),
		memory("x/test_batch.bin", record(13, 0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	labels, values, err := read(t, c, "train")
	if err != nil || len(labels) != 3 || labels[1] != 4 || labels[2] != 9 || !bytes.Equal(values, []byte{10, 10, 11, 11, 12, 12}) {
		t.Errorf("%v, %v, %v", labels, values, err)
	}
	if c.Splits[0].Rows != 3 || c.Splits[1].Rows != 1 || c.Classes[3] != "cat" {
		t.Errorf("%+v, %v", c.Splits, c.Classes)
	}
	if again, err := c.Splits[0].Labels(); err != nil || len(again) != 3 || again[0] != 3 {
		t.Errorf("labels %v, %v", again, err)
	}
}

func TestHundred(t *testing.T) {
	names := strings.Repeat("x\n", 100)
	c, err := Collect([]source.File{memory("fine_label_names.txt", []byte(names)), memory("train.bin", record(7, 1, 99))})
	if err != nil {
		t.Fatal(err)
	}
	if labels, values, err := read(t, c, "train"); err != nil || labels[0] != 99 || values[0] != 7 {
		t.Errorf("%v, %v, %v", labels, values, err)
	}
}

func TestBad(t *testing.T) {
	for _, c := range []struct {
		files []source.File
		want  string
	}{
		{[]source.File{memory("test_batch.bin", record(1, 2)[:3000])}, "offset 3000: the file ends within a record"},
		{[]source.File{memory("test_batch.bin", nil)}, "offset 0"},
		{[]source.File{memory("test_batch.bin", append(record(1, 2), record(1, 10)...))}, "offset 3073 (label of record 1): 10, classes are 0 to 9"},
		{[]source.File{memory("batches.meta.txt", []byte("cat")), memory("test_batch.bin", record(1, 2))}, "names 1 classes"},
	} {
		col, err := Collect(c.files)
		if err == nil {
			_, _, err = read(t, col, "test")
		}
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, should contain %q", err, c.want)
		}
	}
	if c, err := Collect([]source.File{memory("train.bin", nil)}); c != nil || err != nil {
		t.Errorf("any train.bin is taken for CIFAR-100: %v, %v", c, err)
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add(record(10, 3), []byte("cat\ndog\n"))
	f.Add(append(record(10, 3), 1, 2), []byte{})
	f.Fuzz(func(t *testing.T, batch, names []byte) {
		c, err := Collect([]source.File{memory("data_batch_1.bin", batch), memory("batches.meta.txt", names)})
		if err == nil && c != nil {
			_, _, err = read(t, c, c.Splits[0].Name)
		}
		if err != nil && fault.Of(err) != fault.Usage {
			t.Fatalf("no fault of the user's: %v", err)
		}
	})
}
