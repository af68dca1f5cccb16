package arrowmsg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// Writer writes a sealed IPC file or stream, of columns without dictionaries.
type Writer struct {
	*ipc.Writer
	out *sealing
}

// NewWriter begins a file, or a stream, at the beginning of to.
func NewWriter(to io.Writer, file bool, schema *arrow.Schema, opts ...ipc.Option) *Writer {
	out := &sealing{to: to, file: file}
	return &Writer{ipc.NewWriterWithPayloadWriter(out, append(opts, ipc.WithSchema(schema))...), out}
}

// Amend replaces old in the schema's metadata, of which there is one, by new, of
// the same length: in what is written of the file, and in what is to come.
func (w *Writer) Amend(file io.WriterAt, old, new string) error {
	o := w.out
	o.old, o.new = []byte(old), []byte(new)
	if o.schema == nil {
		return nil
	}
	if err := o.amend(); err != nil {
		return err
	}
	meta, at := wrapMessage(o.schema)
	copy(meta[at:], at.digits(meta))
	_, err := file.WriteAt(meta, o.schemaAt)
	return err
}

// sealing is an ipc.PayloadWriter.
type sealing struct {
	to       io.Writer
	file     bool
	n        int64
	schema   []byte // the schema's message, without a seal
	schemaAt int64  // of its sealed flatbuffer
	bodyAt   int64  // of the last message
	batches  []block
	old, new []byte // of an Amend
}

func (o *sealing) amend() error {
	if n := bytes.Count(o.schema, o.old); len(o.old) != len(o.new) || n != 1 {
		return fmt.Errorf("%q for %q, which the schema has %d times", o.new, o.old, n)
	}
	o.schema = bytes.Replace(o.schema, o.old, o.new, 1)
	return nil
}

// Start and the other methods are what ipc.PayloadWriter asks for; ipc.Writer
// doesn't call Start.
func (o *sealing) Start() error { return nil }

func (o *sealing) write(b []byte) error {
	n, err := o.to.Write(b)
	o.n += int64(n)
	return err
}

// WritePayload writes a message with its seal; the first is the schema.
func (o *sealing) WritePayload(p ipc.Payload) error {
	buffer := p.Meta()
	defer buffer.Release()
	message := append(bytes.Clone(buffer.Bytes()), make([]byte, -buffer.Len()&7)...)
	if o.schema == nil {
		return o.begin(message)
	}
	k := block{at: o.n}
	if err := o.message(message, p.SerializeBody); err != nil {
		return err
	}
	k.header = o.bodyAt - k.at
	k.body = o.n - o.bodyAt
	o.batches = append(o.batches, k)
	return nil
}

func (o *sealing) begin(schema []byte) error {
	o.schema = schema
	if o.old != nil {
		if err := o.amend(); err != nil {
			return err
		}
	}
	if o.file {
		if err := o.write([]byte("ARROW1\x00\x00")); err != nil {
			return err
		}
	}
	o.schemaAt = o.n + 8
	return o.message(o.schema, func(io.Writer) error { return nil })
}

func (o *sealing) message(inner []byte, body func(io.Writer) error) error {
	meta, at := wrapMessage(inner)
	sum := NewChecksum()
	sum.Write(meta)
	if err := body(sum); err != nil {
		return err
	}
	copy(meta[at:], Digits(sum))
	prefix := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(meta)))
	if err := o.write(append(prefix, meta...)); err != nil {
		return err
	}
	o.bodyAt = o.n
	return body(writer(o.write))
}

type writer func([]byte) error

func (w writer) Write(b []byte) (int, error) { return len(b), w(b) }

// Close ends the messages, and writes a file's footer.
func (o *sealing) Close() error {
	end := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	if o.file {
		footer := makeFooter(o.schema, o.batches)
		end = binary.LittleEndian.AppendUint32(append(end, footer...), uint32(len(footer)))
		end = append(end, "ARROW1"...)
	}
	return o.write(end)
}
