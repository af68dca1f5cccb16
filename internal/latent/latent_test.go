package latent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/parquet"
	parquetfile "github.com/apache/arrow/go/v17/parquet/file"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

var testFingerprint = strings.Repeat("0123456789abcdef", 4)

// sample is n rows with every column, and their meta. The values are multiples
// of 1/8 below 16: exact in float16.
func sample(n int) (Meta, Rows) {
	m := Meta{
		Shape: arch.Shape{C: 3, H: 2, W: 5}, Encoder: "e1", Decoder: "d1",
		Arch: `{"input":[1,4,10]}`, Dataset: `{"name":"x"}`, Preprocess: `{"height":4}`,
		Classes: []string{"cat", "дом"}, Paths: true, Splits: true, Errors: true,
	}
	r := Rows{Labels: []int64{}}
	for i := range n {
		r.IDs = append(r.IDs, int64(i))
		r.Labels = append(r.Labels, int64(i%3)-1)
		r.Paths = append(r.Paths, fmt.Sprintf("dir/%d – ä.png", i))
		r.Splits = append(r.Splits, []string{"train", "test"}[i%2])
		r.Errors = append(r.Errors, float32(i)/7)
		for j := range m.Shape.Values() {
			r.Latents = append(r.Latents, float32((i*31+j*7)%256-100)/8)
		}
	}
	return m, r
}

// inPieces is a source of rows in pieces of at most size.
func inPieces(r Rows, size, values int) Source {
	return func(limit int) (Rows, error) {
		if r.Len() == 0 {
			return Rows{}, io.EOF
		}
		n := min(size, r.Len())
		if limit > 0 {
			n = min(n, limit)
		}
		head := r.Slice(0, n, values)
		r = r.Slice(n, r.Len(), values)
		return head, nil
	}
}

func everyOption() []Options {
	var all []Options
	for _, d := range []DType{Float32, Float16, Int8} {
		for _, f := range []Format{File, Stream, Parquet} {
			for _, l := range []Layout{Tensor, List} {
				for _, c := range []Compression{None, LZ4, Zstd} {
					if o, err := (Options{d, l, f, c}).Resolve(); err == nil {
						all = append(all, o)
					}
				}
			}
		}
	}
	return all
}

func quantOf(m Meta, r Rows) *Quant {
	ranges := NewRange(m.Shape)
	ranges.Add(r.Latents)
	q, err := ranges.Quant()
	if err != nil {
		panic(err)
	}
	return &q
}

func TestEveryOptionReadsBack(t *testing.T) {
	options := everyOption()
	if len(options) != 42 {
		t.Fatalf("%d combinations", len(options))
	}
	for _, o := range options {
		t.Run(fmt.Sprintf("%s-%s-%s-%s", o.DType, o.Format, o.Layout, o.Compression), func(t *testing.T) {
			m, r := sample(50)
			if o.DType == Int8 {
				m.Quant = quantOf(m, r)
			}
			path := filepath.Join(t.TempDir(), "x"+o.Format.Extension())
			rest := inPieces(r, 17, m.Shape.Values())
			done := false
			w, err := WriteFile(Disk{}, path, m, o, func(limit int) (Rows, error) {
				rows, err := rest(limit)
				done = errors.Is(err, io.EOF)
				return rows, err
			}, func() string {
				if !done {
					t.Error("asked for the fingerprint before the last row")
				}
				return testFingerprint
			})
			if err != nil {
				t.Fatal(err)
			}
			m.Fingerprint, m.Checked = testFingerprint, true
			if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte(unknown)) {
				t.Errorf("the placeholder is still there (%v)", err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() != w.Bytes || w.Rows != 50 || w.LastID != 49 {
				t.Errorf("written %+v, the file has %v bytes (%v)", w, info.Size(), err)
			}
			gotMeta, got, err := ReadAll(path)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(gotMeta, m) {
				t.Errorf("meta %+v, want %+v", gotMeta, m)
			}
			m.Round(r.Latents, o.DType)
			if !reflect.DeepEqual(got, r) {
				t.Errorf("rows differ:\n%v\n%v", got, r)
			}
		})
	}
}

func TestFewColumns(t *testing.T) {
	for _, f := range []Format{File, Stream, Parquet} {
		m := Meta{Shape: arch.Shape{C: 2, H: 1, W: 1}, Checked: true}
		o, _ := Options{Format: f}.Resolve()
		for _, n := range []int{0, 1, 3} {
			r := Rows{IDs: []int64{4, 5, 6}[:n], Latents: []float32{1, 2, 3, 4, 5, 6}[:2*n]}
			path := filepath.Join(t.TempDir(), "x")
			if _, err := WriteFile(Disk{}, path, m, o, inPieces(r, 9, 2), nil); err != nil {
				t.Fatal(err)
			}
			gotMeta, got, err := ReadAll(path)
			if err != nil {
				t.Fatalf("%s, %d rows: %v", f, n, err)
			}
			if !reflect.DeepEqual(gotMeta, m) || got.Labels != nil || got.Paths != nil ||
				!slices.Equal(got.IDs, r.IDs) || !slices.Equal(got.Latents, r.Latents) {
				t.Errorf("%s: %+v %+v", f, gotMeta, got)
			}
		}
	}
}

func TestRecordBatchesAreBounded(t *testing.T) {
	m := Meta{Shape: arch.Shape{C: 1, H: 1000, W: 10}, Paths: true}
	r := Rows{IDs: make([]int64, 10), Latents: make([]float32, 10*10000), Paths: make([]string, 10)}
	if n := recordRows(r, m, Float32, 1<<20); n != 10 {
		t.Errorf("%d rows of 40 kB fit 1 MiB", n)
	}
	if n := recordRows(r, m, Float32, 100_000); n != 2 {
		t.Errorf("%d rows of 40 kB fit 100 kB", n)
	}
	r.Paths[1] = strings.Repeat("x", 30_000)
	if n := recordRows(r, m, Float32, 100_000); n != 1 {
		t.Errorf("%d rows with a long path fit 100 kB", n)
	}
	if n := recordRows(r, m, Float32, 10); n != 1 {
		t.Errorf("a record of %d rows", n)
	}
}

func TestNotFinite(t *testing.T) {
	m := Meta{Shape: arch.Shape{C: 2, H: 1, W: 1}}
	for _, c := range []struct {
		v    float32
		d    DType
		want string
	}{
		{float32(math.NaN()), Float32, "image 7: the encoder gave the latent value NaN"},
		{float32(math.Inf(-1)), Float16, "image 7: the encoder gave the latent value -Inf"},
		{70000, Float16, "image 7: the latent value 70000 does not fit float16"},
		{70000, Float32, ""},
	} {
		path := filepath.Join(t.TempDir(), "x.arrow")
		o, _ := Options{DType: c.d}.Resolve()
		_, err := WriteFile(Disk{}, path, m, o, inPieces(Rows{IDs: []int64{6, 7}, Latents: []float32{0, 0, 0, c.v}}, 9, 2), nil)
		if c.want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v in %s: %v", c.v, c.d, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestFullDiskLeavesNothing(t *testing.T) {
	full := errors.New("no space left on device")
	m, r := sample(30)
	o, _ := Options{}.Resolve()
	for n := 1; n < 7; n++ {
		count := 0
		disk := Disk{FS: durable.FS{Fault: func(step, _ string) error {
			if count++; count == n {
				return full
			}
			return nil
		}}}
		dir := t.TempDir()
		_, err := WriteFile(disk, filepath.Join(dir, "x.arrow"), m, o, inPieces(r, 7, 30), func() string { return testFingerprint })
		left, _ := os.ReadDir(dir)
		if n < 6 && (!errors.Is(err, full) || len(left) > 0) {
			t.Errorf("step %d: %v, left behind %v", n, err, left)
		}
	}
}

func TestOptionsThatDontGoTogether(t *testing.T) {
	for _, o := range []Options{
		{DType: "float64"}, {Layout: "flat"}, {Format: "csv"}, {Compression: "gzip"},
		{Format: Parquet, Layout: Tensor}, {Format: Parquet, Compression: LZ4},
	} {
		if _, err := o.Resolve(); fault.Of(err) != fault.Usage {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// A reader of Parquet may refuse a schema whose root is anything but required.
func TestParquetRootIsRequired(t *testing.T) {
	b := written(t, Options{Format: Parquet}, 3)
	p, err := parquetfile.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if r := p.MetaData().Schema.Root().RepetitionType(); r != parquet.Repetitions.Required {
		t.Errorf("the root is %v", r)
	}
}
