package arrowmsg

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// Records are the record batches of an IPC file or stream, in order.
type Records interface {
	Schema() *arrow.Schema
	// Read is the next batch, which is valid until the next call; io.EOF after the
	// last.
	Read() (arrow.Record, error)
	// Sealed tells whether every message is held against a checksum.
	Sealed() bool
}

// IsIPC tells by its first 8 bytes whether a file is an IPC file or stream.
func IsIPC(start []byte) bool { return isFile(start) || isMark(start) }

func isFile(start []byte) bool { return bytes.HasPrefix(start, []byte("ARROW1")) }

// isMark tells whether a message begins here, as a stream does.
func isMark(b []byte) bool { return bytes.HasPrefix(b, []byte{0xff, 0xff, 0xff, 0xff}) }

// Open opens an IPC file or stream of size bytes. What is wrong with it is an
// Error; but what passes the checks may still make arrow-go panic.
//
// A file is read message after message, unless its schema has no mark in front of
// it, as where polars writes: then only the footer says what is in it.
func Open(r ipc.ReadAtSeeker, size int64, o Options, opts ...ipc.Option) (Records, error) {
	start := make([]byte, min(size, 12))
	if _, err := r.ReadAt(start, 0); err != nil && len(start) > 0 {
		return nil, errorAt(0, "%w", noEOF(err))
	}
	m := &messages{options: o, r: r, end: size, marked: !o.Unmarked, announced: -1}
	switch {
	case isFile(start):
		end, err := footer(r, size)
		if err != nil {
			return nil, err
		}
		if len(start) < 8 || !isMark(start[8:]) {
			return byFooter(r, end, size, o, opts...)
		}
		f, err := readFooter(r, end, size, o)
		if err != nil {
			return nil, err
		}
		m.announced, m.sealed = len(f.batches), f.seal > 0
		m.off, m.end, m.marked = 8, end, false
	case !isMark(start):
		return nil, fmt.Errorf("it begins with % x: neither an Arrow file nor a stream", start[:min(len(start), 8)])
	}
	records, err := ipc.NewReaderFromMessageReader(m, opts...)
	if err != nil {
		return nil, located(m.at, err)
	}
	return inOrder{records, m}, nil
}

// inOrder reads message after message.
type inOrder struct {
	*ipc.Reader
	messages *messages
}

func (r inOrder) Sealed() bool { return r.messages.sealed }

func (r inOrder) Read() (arrow.Record, error) {
	rec, err := r.Reader.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		err = located(r.messages.at, err)
	}
	return rec, err
}
