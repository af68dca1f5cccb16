package latent

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	parquetfile "github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/arrowmsg"
	"moncae/internal/fault"
)

// parquetRows is how many rows are read at a time, or fewer where they are large.
const parquetRows = 4096

func (f *file) openParquet(r source, size int64) (err error) {
	defer f.noPanic(&err)
	p, err := parquetfile.NewParquetReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	if err := arrowmsg.CheckParquet(p.MetaData().KeyValueMetadata()); err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	sc, err := pqarrow.FromParquet(p.MetaData().Schema, &pqarrow.ArrowReadProperties{}, p.MetaData().KeyValueMetadata())
	if err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	if sc.Metadata().Len() == 0 {
		md := p.MetaData().KeyValueMetadata()
		pairs := arrow.NewMetadata(md.Keys(), md.Values())
		sc = arrow.NewSchema(sc.Fields(), &pairs)
	}
	if err := f.readSchema(sc); err != nil {
		return err
	}
	batch := max(1, RecordBytes/(4*f.decoder.meta.Shape.Values()))
	rows, err := pqarrow.NewFileReader(p, pqarrow.ArrowReadProperties{BatchSize: int64(min(batch, parquetRows))}, memory.DefaultAllocator)
	if err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	records, err := rows.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	f.records = func() (rec arrow.Record, err error) {
		defer f.noPanic(&err)
		rec, err = records.Read()
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			err = fault.Damagedf("%s: after row %d: %w", f.name, f.done, err)
		case int64(f.done) != p.NumRows(): // arrow-go takes a page that it can't read for a column's end
			err = fault.Damagedf("%s: its pages hold %d rows, its footer announces %d: a page is damaged, or in an encoding that isn't read", f.name, f.done, p.NumRows())
		}
		return rec, err
	}
	return nil
}
