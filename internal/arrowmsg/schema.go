package arrowmsg

import (
	"errors"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"
)

// arrays counts arrays, their buffers, and those of views, whose further buffers
// are counted in a list of their own.
type arrays struct{ nodes, buffers, views int }

// needs is what the messages behind a schema must have at least: arrow reads on
// behind a list that has fewer.
type needs struct {
	batch      arrays
	dictionary *arrays // nil: no column is dictionary-encoded
}

// missing tells whether the message h has less than it must.
func (n needs) missing(h header) error {
	need := arrays{}
	switch {
	case h.kind == kindRecordBatch:
		need = n.batch
	case h.kind == kindDictionary && n.dictionary != nil:
		need = *n.dictionary
	}
	has := arrays{len(h.nodes), len(h.buffers), h.views}
	if has.nodes < need.nodes || has.buffers < need.buffers || has.views < need.views {
		return fmt.Errorf("%d arrays with %d buffers, %d of views; the columns take %d with %d, %d of views",
			has.nodes, has.buffers, has.views, need.nodes, need.buffers, need.views)
	}
	return nil
}

// The types of Schema.fbs that don't take two buffers, one of them the bits of
// what is null.
const (
	typeNull          = 1
	typeBinary        = 4
	typeUtf8          = 5
	typeStruct        = 13
	typeUnion         = 14
	typeFixedSizeList = 16
	typeLargeBinary   = 19
	typeLargeUtf8     = 20
	typeRunEndEncoded = 22
	typeBinaryView    = 23
	typeUtf8View      = 24
	typeListView      = 25
	typeLargeListView = 26
)

func buffersOf(kind byte) int {
	switch kind {
	case typeNull, typeRunEndEncoded:
		return 0
	case typeStruct, typeFixedSizeList:
		return 1
	case typeBinary, typeUtf8, typeLargeBinary, typeLargeUtf8, typeListView, typeLargeListView:
		return 3
	}
	return 2
}

// schema reads what a schema's columns need, and keeps arrow from making slices for
// more fields than there can be.
func (h *header) schema(t flatbuffers.Table, o Options) error {
	const deepest = 8
	vectorLen(t, slot(2))
	return h.fields(&h.needs.batch, t, slot(1), deepest, o)
}

func (h *header) fields(in *arrays, t flatbuffers.Table, fields flatbuffers.VOffsetT, depth int, o Options) error {
	n := vectorLen(t, fields)
	if n > 0 && depth == 0 {
		return errors.New("columns are nested too deeply")
	}
	for i := range n {
		at := t.Vector(flatbuffers.UOffsetT(t.Offset(fields))) + flatbuffers.UOffsetT(4*i)
		f := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at)}
		vectorLen(f, slot(6)) // the field's metadata
		into := in
		encoded := f.Offset(slot(4)) != 0
		switch kind := f.GetByteSlot(slot(2), 0); {
		case encoded && !o.Dictionaries:
			return fmt.Errorf("column %d is dictionary-encoded: write plain values", i)
		case kind == typeUnion:
			return fmt.Errorf("column %d is a union", i)
		case encoded: // indices here, values in messages of their own
			in.nodes, in.buffers = in.nodes+1, in.buffers+2
			into = &arrays{}
			fallthrough
		default:
			into.nodes, into.buffers = into.nodes+1, into.buffers+buffersOf(kind)
			if kind == typeBinaryView || kind == typeUtf8View {
				into.views++
			}
		}
		if err := h.fields(into, f, slot(5), depth-1, o); err != nil {
			return err
		}
		if encoded {
			h.needs.value(*into)
		}
	}
	return nil
}

// value takes in what one column's dictionary needs; the least of all is asked for,
// for a message only has its dictionary's number.
func (n *needs) value(a arrays) {
	if d := n.dictionary; d != nil {
		a = arrays{min(a.nodes, d.nodes), min(a.buffers, d.buffers), min(a.views, d.views)}
	}
	n.dictionary = &a
}
