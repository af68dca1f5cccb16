package arrowmsg

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	flatbuffers "github.com/google/flatbuffers/go"
)

// byFooter opens an IPC file whose footer begins at end, once that and the messages
// that it points to are checked, for which the file is read once.
func byFooter(r ipc.ReadAtSeeker, end, size int64, o Options, opts ...ipc.Option) (Records, error) {
	f, err := readFooter(r, end, size, o)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Concat(f.dictionaries, f.batches) {
		if k.at < 8 || k.header < 8 || k.body < 0 || k.at > end || k.header > end-k.at || k.body > end-k.at-k.header {
			return nil, errorAt(end, "footer: a message of %d and %d bytes at %d", k.header, k.body, k.at)
		}
		m := &messages{options: o, r: r, off: k.at, end: k.at + k.header + k.body, marked: true, announced: -1, needs: f.needs, sealed: f.seal > 0}
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
	return listed{records, f.seal > 0}, nil
}

// listed are the record batches that a footer lists.
type listed struct {
	*ipc.FileReader
	sealed bool
}

func (r listed) Sealed() bool { return r.sealed }

func readFooter(r io.ReaderAt, end, size int64, o Options) (content, error) {
	b := make([]byte, size-tail-end)
	if _, err := r.ReadAt(b, end); err != nil {
		return content{}, errorAt(end, "%w", noEOF(err))
	}
	f, err := parseFooter(b, o)
	if err != nil {
		return f, errorAt(end, "footer: %w", err)
	}
	return f, nil
}

// content is what a footer says.
type content struct {
	needs                 needs
	dictionaries, batches []block
	seal                  place
}

// block is where a message is, and the sizes of its parts.
type block struct{ at, header, body int64 }

// parseFooter reads Footer of the Arrow format's File.fbs; see parseHeader.
func parseFooter(b []byte, o Options) (f content, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it is none")
		}
	}()
	t := flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}
	at := flatbuffers.UOffsetT(t.Offset(slot(1)))
	if at == 0 {
		return f, errors.New("it has no schema")
	}
	var h header
	if err := h.schema(flatbuffers.Table{Bytes: b, Pos: t.Indirect(t.Pos + at)}, o); err != nil {
		return f, err
	}
	f = content{needs: h.needs, dictionaries: blocks(t, slot(2)), batches: blocks(t, slot(3))}
	if f.seal, err = placeOf(t, slot(4)); err != nil {
		return f, err
	}
	return f, f.seal.check(f.seal > 0, b)
}

func blocks(t flatbuffers.Table, field flatbuffers.VOffsetT) []block {
	const size = 24
	count := checkedLen(t, field, size)
	if count == 0 {
		return nil
	}
	out, from := make([]block, count), t.Vector(flatbuffers.UOffsetT(t.Offset(field)))
	for i := range out {
		k := t.Bytes[int(from)+size*i:][:size]
		out[i] = block{
			at: int64(binary.LittleEndian.Uint64(k)), header: int64(int32(binary.LittleEndian.Uint32(k[8:]))),
			body: int64(binary.LittleEndian.Uint64(k[16:])),
		}
	}
	return out
}
