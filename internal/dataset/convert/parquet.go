package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/dataset"
	"moncae/internal/dataset/splitname"
	"moncae/internal/durable"
	"moncae/internal/imagefile"
)

// groupRows is the number of rows in a row group.
const groupRows = 1000

// writeParquet writes data/<split>-00000-of-00001.parquet as Hugging Face lays
// image sets out: image as struct{bytes, path} of PNG, label as int64, the names
// of the classes in the schema's metadata.
func writeParquet(to *durable.Place, sets []*dataset.Set) error {
	for _, s := range sets {
		err := to.Write("data/"+splitname.Part(s.Info.Split, 0, 1)+".parquet", func(w durable.Writer) error { return writeTable(w, s) })
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

// writeTable writes one file. arrow-go panics where a library should return an
// error.
func writeTable(to io.Writer, s *dataset.Set) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("writing Parquet: %v", p)
		}
	}()
	schema, err := schemaOf(s)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(schema, struct{ io.Writer }{to},
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

// record is the rows from from to to.
func record(schema *arrow.Schema, s *dataset.Set, from, to int) (arrow.Record, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	images := b.Field(0).(*array.StructBuilder)
	for i := from; i < to; i++ {
		var data bytes.Buffer
		if err := imagefile.EncodePixels(&data, s.Image(i), s.Shape); err != nil {
			return nil, err
		}
		images.Append(true)
		images.FieldBuilder(0).(*array.BinaryBuilder).Append(data.Bytes())
		images.FieldBuilder(1).(*array.StringBuilder).Append(splitname.Row(i))
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
