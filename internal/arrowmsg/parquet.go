package arrowmsg

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// CheckParquet checks the Arrow schema that a Parquet file may carry in its
// metadata, before pqarrow reads it: base64 of an IPC stream of a schema alone.
func CheckParquet(pairs metadata.KeyValueMetadata) error {
	const key = "ARROW:schema"
	text := pairs.FindValue(key)
	if text == nil {
		return nil
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(*text, "="))
	if err != nil {
		return fmt.Errorf("metadata %s: %w", key, err)
	}
	if len(b) >= 4 && !isMark(b) { // before Arrow 0.15: the length alone
		b = append(binary.LittleEndian.AppendUint32(nil, 0xffffffff), b...)
	}
	m := &messages{options: Options{Dictionaries: true}, r: bytes.NewReader(b), end: int64(len(b)), marked: true, announced: -1}
	if _, err := m.Message(); err != nil {
		return fmt.Errorf("metadata %s: %w", key, err)
	}
	return nil
}
