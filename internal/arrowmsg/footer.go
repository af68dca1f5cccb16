package arrowmsg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	flatbuffers "github.com/google/flatbuffers/go"
)

// InOrder tells whether an IPC file's messages can be read one after the other.
// Polars writes a schema without a mark in front of it: only the footer of such a
// file says what is in it. See ByFooter.
func InOrder(r io.ReaderAt) bool {
	b := make([]byte, 4)
	_, err := r.ReadAt(b, 8)
	return err == nil && bytes.Equal(b, []byte{0xff, 0xff, 0xff, 0xff})
}

// ByFooter opens an IPC file, once its footer and the messages that it points to
// are checked, for which the file is read once. What passes may still make arrow-go
// panic.
func ByFooter(r ipc.ReadAtSeeker, size int64, o Options, opts ...ipc.Option) (*ipc.FileReader, error) {
	end, err := footer(r, size)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size-10-end)
	if _, err := r.ReadAt(b, end); err != nil {
		return nil, errorAt(end, "%w", noEOF(err))
	}
	needs, blocks, err := parseFooter(b, o)
	if err != nil {
		return nil, errorAt(end, "footer: %w", err)
	}
	for _, k := range blocks {
		if k.at < 8 || k.header < 8 || k.body < 0 || k.at > end || k.header > end-k.at || k.body > end-k.at-k.header {
			return nil, errorAt(end, "footer: a message of %d and %d bytes at %d", k.header, k.body, k.at)
		}
		m := &Reader{options: o, r: r, off: k.at, end: k.at + k.header + k.body, marked: true, needs: needs}
		if _, err := m.Message(); errors.Is(err, io.EOF) {
			return nil, errorAt(k.at, "there is no message")
		} else if err != nil {
			return nil, err
		}
	}
	opened, err := ipc.NewFileReader(r, opts...) // reads dictionaries
	if err != nil {
		return nil, errorAt(end, "footer: %w", err)
	}
	return opened, nil
}

// block is where a message is, and the sizes of its parts.
type block struct{ at, header, body int64 }

// parseFooter reads Footer of the Arrow format's File.fbs; see parseHeader.
func parseFooter(b []byte, o Options) (n needs, blocks []block, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it is none")
		}
	}()
	t := flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}
	at := flatbuffers.UOffsetT(t.Offset(slot(1)))
	if at == 0 {
		return n, nil, errors.New("it has no schema")
	}
	var h header
	if err := h.schema(flatbuffers.Table{Bytes: b, Pos: t.Indirect(t.Pos + at)}, o); err != nil {
		return n, nil, err
	}
	const size = 24
	for _, field := range []flatbuffers.VOffsetT{slot(2), slot(3)} { // dictionaries, record batches
		count := checkedLen(t, field, size)
		if count == 0 {
			continue
		}
		from := t.Vector(flatbuffers.UOffsetT(t.Offset(field)))
		for i := range count {
			k := b[int(from)+size*i:][:size]
			blocks = append(blocks, block{
				at: int64(binary.LittleEndian.Uint64(k)), header: int64(int32(binary.LittleEndian.Uint32(k[8:]))),
				body: int64(binary.LittleEndian.Uint64(k[16:])),
			})
		}
	}
	return h.needs, blocks, nil
}
