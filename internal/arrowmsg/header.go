package arrowmsg

import (
	"errors"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"
)

// header is what of a message's flatbuffer concerns sizes: Message, Schema and
// RecordBatch of the Arrow format's Message.fbs and Schema.fbs.
type header struct {
	body    int64
	kind    byte
	rows    int64
	nodes   [][2]int64 // length, null count
	buffers [][2]int64 // offset, length
	views   int        // arrays of views whose numbers of buffers are said
	codec   int8
	needs   needs // of a schema
	seal    place
}

// The message kinds and types that matter here, with the format's numbers.
const (
	kindSchema      = 1
	kindDictionary  = 2
	kindRecordBatch = 3
	uncompressed    = -1
	codecLZ4        = 0
	codecZstd       = 1
)

// slot is the place of a table's field in its vtable.
func slot(field int) flatbuffers.VOffsetT { return flatbuffers.VOffsetT(4 + 2*field) }

// parseHeader reads a flatbuffer that may be garbage: the runtime's panics at
// offsets outside are errors here.
func parseHeader(b []byte, o Options) (h header, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it is no Arrow message")
		}
	}()
	t := flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}
	h.codec = uncompressed
	h.body = t.GetInt64Slot(slot(3), 0)
	if h.seal, err = placeOf(t, slot(4)); err != nil {
		return h, err
	}
	at := flatbuffers.UOffsetT(t.Offset(slot(2)))
	if at == 0 {
		return h, errors.New("it is empty")
	}
	var content flatbuffers.Table
	t.Union(&content, at)
	h.kind = t.GetByteSlot(slot(1), 0)
	switch {
	case h.kind == kindSchema:
		return h, h.schema(content, o)
	case h.kind == kindRecordBatch:
		return h, h.recordBatch(content)
	case h.kind == kindDictionary && o.Dictionaries:
		at := flatbuffers.UOffsetT(content.Offset(slot(1)))
		if at == 0 {
			return h, errors.New("a dictionary without values")
		}
		return h, h.recordBatch(flatbuffers.Table{Bytes: b, Pos: content.Indirect(content.Pos + at)})
	case h.kind == kindDictionary:
		return h, errors.New("dictionaries are not read: write plain values")
	default:
		return h, fmt.Errorf("message kind %d: schemas and record batches are read", h.kind)
	}
}

func (h *header) recordBatch(t flatbuffers.Table) error {
	h.rows = t.GetInt64Slot(slot(0), 0)
	h.nodes = pairsAt(t, slot(1))
	h.buffers = pairsAt(t, slot(2))
	if o := flatbuffers.UOffsetT(t.Offset(slot(3))); o != 0 {
		c := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + o)}
		h.codec = c.GetInt8Slot(slot(0), codecLZ4)
	}
	return h.viewBuffers(t)
}

// viewBuffers checks the numbers of buffers that arrays of views have.
func (h *header) viewBuffers(t flatbuffers.Table) error {
	h.views = checkedLen(t, slot(4), 8)
	if h.views == 0 {
		return nil
	}
	at, left := t.Vector(flatbuffers.UOffsetT(t.Offset(slot(4)))), int64(len(h.buffers))
	for i := range h.views {
		count := t.GetInt64(at + flatbuffers.UOffsetT(8*i))
		if count < 0 || count > left {
			return fmt.Errorf("column of views %d has %d buffers, %d are left", i, count, left)
		}
		left -= count
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
		panic("arrowmsg: a vector longer than its message") // parseHeader recovers
	}
	return n
}
