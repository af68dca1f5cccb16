package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/dataset"
)

// groupRows is the number of rows in a row group.
const groupRows = 1000

// writeParquet writes data/<split>-00000-of-00001.parquet as Hugging Face lays
// image sets out: image as struct{bytes, path} of PNG, label as int64, the names
// of the classes in the schema's metadata.
func writeParquet(dir string, sets []*dataset.Set) error {
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o777); err != nil {
		return err
	}
	for _, s := range sets {
		split := s.Info.Split
		if split == "all" {
			split = "train"
		}
		err := create(filepath.Join(data, split+"-00000-of-00001.parquet"), func(f *os.File) error { return writeTable(f, s) })
		if err != nil {
			return err
		}
	}
	return nil
}

// schemaOf describes the columns to Arrow and to Hugging Face.
func schemaOf(s *dataset.Set) (*arrow.Schema, error) {
	fields := []arrow.Field{{Name: "image", Type: arrow.StructOf(
		arrow.Field{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
		arrow.Field{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true}}
	features := map[string]any{"image": map[string]any{"_type": "Image"}}
	if s.Labels != nil {
		fields = append(fields, arrow.Field{Name: "label", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
		features["label"] = map[string]any{"names": s.Classes, "_type": "ClassLabel"}
	}
	text, err := json.Marshal(map[string]any{"info": map[string]any{"features": features}})
	if err != nil {
		return nil, err
	}
	meta := arrow.NewMetadata([]string{"huggingface"}, []string{string(text)})
	return arrow.NewSchema(fields, &meta), nil
}

func writeTable(f *os.File, s *dataset.Set) error {
	schema, err := schemaOf(s)
	if err != nil {
		return err
	}
	// The writer closes what it writes to; create does that here.
	w, err := pqarrow.NewFileWriter(schema, keepOpen{f},
		parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false),
			parquet.WithRootRepetition(parquet.Repetitions.Required)), // arrow-go's default, repeated, is no valid root
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return err
	}
	for at := 0; at < s.Rows(); at += groupRows {
		r, err := record(schema, s, at, min(at+groupRows, s.Rows()))
		if err == nil {
			err = w.Write(r)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// keepOpen is a file that only its maker closes.
type keepOpen struct{ f *os.File }

func (k keepOpen) Write(b []byte) (int, error) { return k.f.Write(b) }

// record is the rows from from to to.
func record(schema *arrow.Schema, s *dataset.Set, from, to int) (arrow.Record, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	images := b.Field(0).(*array.StructBuilder)
	for i := from; i < to; i++ {
		data, err := encodePNG(s, i)
		if err != nil {
			return nil, err
		}
		images.Append(true)
		images.FieldBuilder(0).(*array.BinaryBuilder).Append(data)
		images.FieldBuilder(1).(*array.StringBuilder).Append(fmt.Sprintf("%07d.png", i))
		if s.Labels == nil {
			continue
		}
		labels := b.Field(1).(*array.Int64Builder)
		if l := s.Labels[i]; l >= 0 {
			labels.Append(int64(l))
		} else {
			labels.AppendNull()
		}
	}
	return b.NewRecord(), nil
}
