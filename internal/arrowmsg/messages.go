package arrowmsg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/klauspost/compress/zstd"
)

// The limits of what a file may ask for, whatever it claims.
const (
	maxBuffer = 1 << 31   // bytes of one buffer after decompression
	maxWindow = 128 << 20 // bytes that a zstd frame may look back
	maxHeader = 64 << 20  // bytes of a message's header
)

// Options say what else than plain columns is let through.
type Options struct {
	// Dictionaries are columns of indices, and the messages with their values.
	Dictionaries bool
	// Unmarked streams may end without an end marker.
	Unmarked bool
}

// messages reads the messages of an IPC file or stream one after the other, and
// checks every length in them before arrow sees it. It is an ipc.MessageReader.
type messages struct {
	options   Options
	r         io.ReaderAt
	off, end  int64 // where the next message begins; where the last one must end
	marked    bool  // an end marker must come
	at        int64 // where the message that was given last begins
	needs     needs // by the schema
	batches   int   // so far
	announced int   // by a file's footer; −1: a stream
	sealed    bool  // by a file's footer, or by a stream's schema
}

// tail is what follows an IPC file's footer: its length, and the end mark.
const tail = 10

// footer finds where an IPC file's footer begins: its messages end there.
func footer(r io.ReaderAt, size int64) (int64, error) {
	b := make([]byte, tail)
	if size < 8+tail {
		return 0, errorAt(size, "an Arrow file of %d bytes is cut off", size)
	}
	if _, err := r.ReadAt(b, size-tail); err != nil {
		return 0, errorAt(size-tail, "%w", noEOF(err))
	}
	if string(b[4:]) != "ARROW1" {
		return 0, errorAt(size-6, "the end mark ARROW1 is missing: the file is cut off")
	}
	length := int64(binary.LittleEndian.Uint32(b))
	if length == 0 || length > size-8-tail {
		return 0, errorAt(size-tail, "a footer of %d bytes in a file of %d", length, size)
	}
	return size - tail - length, nil
}

// Retain and Release are asked for by ipc.MessageReader: the garbage collector
// does the work.
func (m *messages) Retain() {}

// Release is described with Retain.
func (m *messages) Release() {}

// Error says what is wrong at a byte of the file.
type Error struct {
	At  int64
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("byte %d: %v", e.At, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

func errorAt(at int64, format string, args ...any) error {
	return &Error{at, fmt.Errorf(format, args...)}
}

// located is err with the byte, where it doesn't name one.
func located(at int64, err error) error {
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	return &Error{at, err}
}

func (m *messages) damaged(format string, args ...any) error { return errorAt(m.at, format, args...) }

// Message is the next message, or io.EOF.
func (m *messages) Message() (*ipc.Message, error) {
	m.at = m.off
	if m.off == m.end && !m.marked {
		return nil, m.whole()
	}
	prefix, err := m.read(8)
	if err != nil {
		return nil, err
	}
	if !isMark(prefix) {
		return nil, m.damaged("an Arrow message begins with ff ff ff ff, here are % x", prefix[:4])
	}
	size := int64(binary.LittleEndian.Uint32(prefix[4:]))
	if size == 0 {
		return nil, m.whole()
	}
	if size < 8 || size > maxHeader {
		return nil, m.damaged("a message header of %d bytes", size)
	}
	header, err := m.read(size)
	if err != nil {
		return nil, err
	}
	info, err := parseHeader(header, m.options)
	if err != nil {
		return nil, m.damaged("message header: %w", err)
	}
	body, err := m.read(info.body)
	if err != nil {
		return nil, err
	}
	if info.kind == kindSchema {
		m.needs = info.needs
		m.sealed = m.sealed || m.announced < 0 && info.seal > 0
	}
	if err := info.seal.check(m.sealed, header, body); err != nil {
		return nil, m.damaged("%w", err)
	}
	if err := m.needs.missing(info); err != nil {
		return nil, m.damaged("%w", err)
	}
	if err := info.check(body); err != nil {
		return nil, m.damaged("record batch: %w", err)
	}
	if info.kind == kindRecordBatch {
		m.batches++
	}
	return ipc.NewMessage(memory.NewBufferBytes(header), memory.NewBufferBytes(body)), nil
}

// whole is io.EOF where nothing is missing: an end mark may stand where a damaged
// message was.
func (m *messages) whole() error {
	switch {
	case m.announced >= 0 && m.batches != m.announced:
		return m.damaged("the messages end here after %d record batches, the footer announces %d", m.batches, m.announced)
	case m.announced < 0 && m.off != m.end:
		return m.damaged("the end mark stands here, and %d bytes follow: a message is damaged, or several streams were joined", m.end-m.off)
	}
	return io.EOF
}

func (m *messages) read(n int64) ([]byte, error) {
	if n < 0 || n > m.end-m.off {
		return nil, m.damaged("%d bytes are wanted, %d are left: the file is cut off or damaged", n, m.end-m.off)
	}
	b := make([]byte, n)
	if _, err := m.r.ReadAt(b, m.off); err != nil && !(errors.Is(err, io.EOF) && n == 0) {
		return nil, errorAt(m.off, "%w", noEOF(err))
	}
	m.off += n
	return b, nil
}

// noEOF keeps a file that shrinks while it is read from looking like its end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// check holds a record batch's sizes against its body.
func (h header) check(body []byte) error {
	if h.codec < uncompressed || h.codec > codecZstd {
		return fmt.Errorf("compression %d is unknown", h.codec)
	}
	if h.rows < 0 {
		return fmt.Errorf("%d rows", h.rows)
	}
	for i, n := range h.nodes {
		if n[0] < 0 || n[0] > maxBuffer || n[1] < 0 || n[1] > n[0] {
			return fmt.Errorf("array %d: %d values, %d nulls", i, n[0], n[1])
		}
	}
	for i, b := range h.buffers {
		off, size := b[0], b[1]
		if off < 0 || size < 0 || off > int64(len(body)) || size > int64(len(body))-off {
			return fmt.Errorf("buffer %d: %d bytes at %d of a body of %d", i, size, off, len(body))
		}
		if h.codec == uncompressed || size == 0 {
			continue
		}
		if err := checkCompressed(body[off:off+size], h.codec); err != nil {
			return fmt.Errorf("buffer %d: %w", i, err)
		}
	}
	return nil
}

// densest is the most that one byte can stand for: an lz4 run adds 255 a byte, a
// zstd block of 4 bytes repeats one 128 KiB.
var densest = [...]int64{codecLZ4: 255, codecZstd: 32 << 10}

func checkCompressed(b []byte, codec int8) error {
	if len(b) < 8 {
		return fmt.Errorf("%d bytes hold no compressed buffer", len(b))
	}
	size := int64(binary.LittleEndian.Uint64(b))
	if size == -1 {
		return nil
	}
	if size < 0 || size > maxBuffer {
		return fmt.Errorf("it claims %d bytes after decompression; there may be %d", size, int64(maxBuffer))
	}
	if most := densest[codec]; size/most > int64(len(b)) {
		return fmt.Errorf("%d bytes can't hold %d: they pack at most %d in one", len(b), size, most)
	}
	if codec != codecZstd {
		return nil
	}
	var frame zstd.Header
	if err := frame.Decode(b[8:]); err != nil {
		return fmt.Errorf("zstd: %w", noEOF(err))
	}
	if frame.WindowSize > maxWindow {
		return fmt.Errorf("zstd: a window of %d bytes; there may be %d", frame.WindowSize, maxWindow)
	}
	return nil
}
