package latent

import (
	"errors"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"
)

// header is what of a message's flatbuffer concerns sizes: Message, Schema and
// RecordBatch of the Arrow format's Message.fbs and Schema.fbs.
type header struct {
	body    int64
	batch   bool // it is a record batch
	rows    int64
	nodes   [][2]int64 // length, null count
	buffers [][2]int64 // offset, length
	codec   int8
}

// The message kinds and types that matter here, with the format's numbers.
const (
	kindSchema      = 1
	kindRecordBatch = 3
	typeUnion       = 14
	uncompressed    = -1
	codecLZ4        = 0
	codecZstd       = 1
)

// slot is the place of a table's field in its vtable.
func slot(field int) flatbuffers.VOffsetT { return flatbuffers.VOffsetT(4 + 2*field) }

// parseHeader reads a flatbuffer that may be garbage: the runtime's panics at
// offsets outside are errors here.
func parseHeader(b []byte) (h header, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it is no Arrow message")
		}
	}()
	t := flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}
	h.codec = uncompressed
	h.body = t.GetInt64Slot(slot(3), 0)
	o := flatbuffers.UOffsetT(t.Offset(slot(2)))
	if o == 0 {
		return h, errors.New("it is empty")
	}
	var content flatbuffers.Table
	t.Union(&content, o)
	switch kind := t.GetByteSlot(slot(1), 0); kind {
	case kindSchema:
		return h, checkSchema(content)
	case kindRecordBatch:
		return h, h.recordBatch(content)
	default:
		return h, fmt.Errorf("message kind %d: schemas and record batches are read, dictionaries are not", kind)
	}
}

func (h *header) recordBatch(t flatbuffers.Table) error {
	h.batch = true
	h.rows = t.GetInt64Slot(slot(0), 0)
	h.nodes = pairsAt(t, slot(1))
	h.buffers = pairsAt(t, slot(2))
	if o := flatbuffers.UOffsetT(t.Offset(slot(3))); o != 0 {
		c := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + o)}
		h.codec = c.GetInt8Slot(slot(0), codecLZ4)
	}
	if t.Offset(slot(4)) != 0 {
		return errors.New("string views are not read: write plain strings")
	}
	return nil
}

// checkSchema keeps arrow from making slices for more fields than there can be.
func checkSchema(t flatbuffers.Table) error {
	const deepest = 8
	vectorLen(t, slot(2))
	return checkFields(t, slot(1), deepest)
}

func checkFields(t flatbuffers.Table, fields flatbuffers.VOffsetT, depth int) error {
	n := vectorLen(t, fields)
	if n > 0 && depth == 0 {
		return errors.New("columns are nested too deeply")
	}
	for i := range n {
		at := t.Vector(flatbuffers.UOffsetT(t.Offset(fields))) + flatbuffers.UOffsetT(4*i)
		f := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at)}
		vectorLen(f, slot(6)) // the field's metadata
		if f.Offset(slot(4)) != 0 {
			return fmt.Errorf("column %d is dictionary-encoded: write plain values", i)
		}
		if f.GetByteSlot(slot(2), 0) == typeUnion {
			return fmt.Errorf("column %d is a union", i)
		}
		if err := checkFields(f, slot(5), depth-1); err != nil {
			return err
		}
	}
	return nil
}

// vectorLen is the length of a vector of tables, which takes 4 bytes an element.
func vectorLen(t flatbuffers.Table, field flatbuffers.VOffsetT) int {
	return checkedLen(t, field, 4)
}

// pairsAt reads a vector of structs of two int64.
func pairsAt(t flatbuffers.Table, field flatbuffers.VOffsetT) [][2]int64 {
	n := checkedLen(t, field, 16)
	if n == 0 {
		return nil
	}
	at := t.Vector(flatbuffers.UOffsetT(t.Offset(field)))
	pairs := make([][2]int64, n)
	for i := range pairs {
		pairs[i] = [2]int64{t.GetInt64(at), t.GetInt64(at + 8)}
		at += 16
	}
	return pairs
}

func checkedLen(t flatbuffers.Table, field flatbuffers.VOffsetT, size int) int {
	o := flatbuffers.UOffsetT(t.Offset(field))
	if o == 0 {
		return 0
	}
	n := t.VectorLen(o)
	if n < 0 || n > len(t.Bytes)/size {
		panic("latent: a vector longer than its message") // parseHeader recovers
	}
	return n
}
