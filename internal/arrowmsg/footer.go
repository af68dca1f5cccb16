package arrowmsg

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	flatbuffers "github.com/google/flatbuffers/go"
)

// byFooter opens an IPC file whose footer begins at end, once that and the messages
// that it points to are checked, for which the file is read once.
func byFooter(r ipc.ReadAtSeeker, end, size int64, o Options, opts ...ipc.Option) (*ipc.FileReader, error) {
	b := make([]byte, size-tail-end)
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
		m := &messages{options: o, r: r, off: k.at, end: k.at + k.header + k.body, marked: true, needs: needs}
		if _, err := m.Message(); errors.Is(err, io.EOF) {
			return nil, errorAt(k.at, "there is no message")
		} else if err != nil {
			return nil, err
		}
	}
	records, err := ipc.NewFileReader(r, opts...) // reads dictionaries
	if err != nil {
		return nil, errorAt(end, "footer: %w", err)
	}
	return records, nil
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
