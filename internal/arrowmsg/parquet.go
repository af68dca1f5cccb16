package arrowmsg

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

const schemaKey = "ARROW:schema"

// CheckParquet checks the Arrow schema that a Parquet file may carry in its
// metadata, before pqarrow reads it: base64 of an IPC stream of a schema alone.
func CheckParquet(pairs metadata.KeyValueMetadata) error {
	text := pairs.FindValue(schemaKey)
	if text == nil {
		return nil
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(*text, "="))
	if err != nil {
		return fmt.Errorf("metadata %s: %w", schemaKey, err)
	}
	if len(b) >= 4 && !isMark(b) { // before Arrow 0.15: the length alone
		b = append(binary.LittleEndian.AppendUint32(nil, 0xffffffff), b...)
	}
	m := &messages{options: Options{Dictionaries: true}, r: bytes.NewReader(b), end: int64(len(b)), marked: true, announced: -1}
	if _, err := m.Message(); err != nil {
		return fmt.Errorf("metadata %s: %w", schemaKey, err)
	}
	return nil
}

// TakeSchema takes the Arrow schema out of the metadata of a Parquet file, checked, and
// gives it; nil where there is none. Without it pqarrow reads the columns as what they
// are stored as, also those of extension types, which it can't read otherwise.
func TakeSchema(meta *metadata.FileMetaData) (*arrow.Schema, error) {
	pairs := meta.KeyValueMetadata()
	if err := CheckParquet(pairs); err != nil {
		return nil, err
	}
	text := pairs.FindValue(schemaKey)
	if text == nil {
		return nil, nil
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(*text, "="))
	if err != nil {
		return nil, fmt.Errorf("metadata %s: %w", schemaKey, err)
	}
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("metadata %s: %w", schemaKey, err)
	}
	defer r.Release()
	kept := meta.FileMetaData.KeyValueMetadata[:0]
	for _, p := range meta.FileMetaData.KeyValueMetadata {
		if p.Key != schemaKey {
			kept = append(kept, p)
		}
	}
	meta.FileMetaData.KeyValueMetadata = kept
	return r.Schema(), nil
}
