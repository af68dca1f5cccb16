package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"moncae/internal/engine"
	"moncae/internal/fault"
)

// Protocol is the version of the protocol.
const Protocol = 1

// Hello is the first line of a worker: what it is.
type Hello struct {
	Protocol   int                `json:"moncae.worker"`
	Version    string             `json:"version"` // of moncae
	Class      engine.Class       `json:"engine_class"`
	Engine     engine.Info        `json:"engine"`
	Precisions []engine.Precision `json:"precisions"`
	Where      string             `json:"where,omitempty"` // that a bridge has it at
}

// Part are bytes that follow a line; Bytes, on the line, is their number.
type Part struct {
	Name    string `json:"name"`
	Bytes   int64  `json:"bytes"`
	Content []byte `json:"-"`
}

// NewPart is a part of these bytes.
func NewPart(name string, content []byte) Part {
	return Part{name, int64(len(content)), content}
}

// Find is the content of the part of that name; nil where there is none.
func Find(parts []Part, name string) []byte {
	for _, p := range parts {
		if p.Name == name {
			return p.Content
		}
	}
	return nil
}

// message is a line after a worker's first: one of the fields but Parts.
type message struct {
	// From the coordinator.
	Give   *give `json:"give,omitempty"`
	Task   *task `json:"task,omitempty"`
	Cancel int64 `json:"cancel,omitempty"` // the task's id
	// From the worker.
	Kept   string  `json:"kept,omitempty"` // key of what was given
	Event  *event  `json:"event,omitempty"`
	Result *result `json:"result,omitempty"`
	Failed *failed `json:"failed,omitempty"`

	Parts []Part `json:"parts,omitempty"`
}

type give struct {
	Key  string          `json:"key"`
	Kind string          `json:"kind"`
	Head json.RawMessage `json:"head,omitempty"`
}

type task struct {
	ID   int64           `json:"id"` // from 1
	Kind string          `json:"kind"`
	Key  string          `json:"key"`
	Spec json.RawMessage `json:"spec"`
	With json.RawMessage `json:"with,omitempty"` // what changes nothing of the result
}

// event tells that a task is under way; the first says that it was taken on.
type event struct {
	ID   int64           `json:"id"`
	Data json.RawMessage `json:"data,omitempty"`
}

type result struct {
	ID   int64           `json:"id"`
	Key  string          `json:"key"`
	Data json.RawMessage `json:"data,omitempty"`
}

type failed struct {
	ID        int64  `json:"id"`
	Error     string `json:"error"`
	Cancelled bool   `json:"cancelled,omitempty"`
	Refused   bool   `json:"refused,omitempty"` // as bad input: trying again would be in vain
}

// fields counts those that make a message what it is.
func (m message) fields() (n int) {
	for _, there := range []bool{m.Give != nil, m.Task != nil, m.Cancel != 0, m.Kept != "", m.Event != nil, m.Result != nil, m.Failed != nil} {
		if there {
			n++
		}
	}
	return n
}

const (
	maxLine = 1 << 20 // bytes
	maxShow = 80      // of a wrong line
	chunk   = 64 << 20
)

// conn is one end of a pair of pipes. Lines are written by several goroutines, and
// read by one.
type conn struct {
	in    *bufio.Reader
	lines int // read

	mu  sync.Mutex
	out io.Writer
}

func newConn(in io.Reader, out io.Writer) *conn {
	return &conn{in: bufio.NewReaderSize(in, 1<<16), out: out}
}

// write writes a line and its parts.
func (c *conn) write(line any, parts ...Part) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.out.Write(append(b, '\n')); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := c.out.Write(p.Content); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) send(m message) error { return c.write(m, m.Parts...) }

// line reads a line; io.EOF where there is none.
func (c *conn) line() ([]byte, error) {
	var line []byte
	for {
		some, err := c.in.ReadSlice('\n')
		line = append(line, some...)
		switch {
		case len(line) > maxLine:
			return nil, fault.Usagef("line %d is longer than %d bytes", c.lines+1, maxLine)
		case err == nil:
			c.lines++
			return line[:len(line)-1], nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, fault.Usagef("line %d is cut off: %s", c.lines+1, shown(line))
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// receive reads a message with its parts.
func (c *conn) receive() (m message, err error) {
	line, err := c.line()
	if err != nil {
		return m, err
	}
	if err := c.decode(line, &m); err != nil {
		return m, err
	}
	if m.fields() != 1 {
		return m, fault.Usagef("line %d is no message of the worker protocol: %s", c.lines, shown(line))
	}
	for i := range m.Parts {
		if err := c.part(&m.Parts[i]); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (c *conn) decode(line []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil && d.More() {
		err = errors.New("something follows the document")
	}
	if err != nil {
		return fault.Usagef("line %d is no message of the worker protocol: %s: %s", c.lines, shown(line), fault.Text(err))
	}
	return nil
}

// part reads bytes, as they come: their number is only a claim.
func (c *conn) part(p *Part) error {
	if p.Bytes < 0 {
		return fault.Usagef("line %d: part %.40q of %d bytes", c.lines, p.Name, p.Bytes)
	}
	for int64(len(p.Content)) < p.Bytes {
		at := len(p.Content)
		n := int(min(p.Bytes-int64(at), int64(max(chunk, at))))
		p.Content = append(make([]byte, 0, at+n), p.Content...)[:at+n]
		if got, err := io.ReadFull(c.in, p.Content[at:]); err != nil {
			return fault.Usagef("line %d: part %.40q has %d of its %d bytes: %s", c.lines, p.Name, at+got, p.Bytes, fault.Text(err))
		}
	}
	return nil
}

// shown is the beginning of a line, for messages.
func shown(line []byte) string {
	if len(line) > maxShow {
		return fmt.Sprintf("%q…", line[:maxShow])
	}
	return fmt.Sprintf("%q", line)
}
