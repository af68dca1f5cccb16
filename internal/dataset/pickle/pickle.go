// Package pickle reads what data sets keep in Python's pickles: dictionaries, lists,
// tuples, numbers, text, and NumPy arrays. Nothing is called and nothing imported: a name
// of Python's is a name, and what is no such thing is an error.
//
// A length is held against the bytes that are left; operations and the memory of what
// they make are bounded.
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Array is a NumPy array in C order.
type Array struct {
	Shape []int64
	Type  string // u1, i8, …
	Data  []byte
}

// global is a name of Python's.
type global string

// object is what a call would make: of a name, with its arguments and its state.
type object struct {
	of   global
	args tuple
	made any // by state
}

type (
	mark  struct{}
	tuple []any
	list  struct{ items []any }
	dict  struct{ items map[string]any }
)

// maxOperations bounds the time and memory of a pickle.
const maxOperations = 1 << 23

// reader is the machine that a pickle is a program for.
type reader struct {
	in    []byte
	stack []any
	memo  map[uint32]any
}

// Read reads a pickle: map[string]any, []any, int64, float64, bool, string, *Array, nil.
func Read(b []byte) (v any, err error) {
	r := &reader{in: b, memo: map[uint32]any{}}
	for range maxOperations {
		op, err := r.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			v, err := r.pop()
			if err != nil {
				return nil, err
			}
			return (&maker{min(leastMade+expansion*len(b), mostMade)}).plain(v, 0)
		}
		at := len(b) - len(r.in) - 1
		if err := r.step(op[0]); err != nil {
			return nil, fmt.Errorf("offset %d: %w", at, err)
		}
	}
	return nil, errors.New("it has too many operations for a data set")
}

func (r *reader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.in)) {
		return nil, errors.New("the pickle ends here")
	}
	b := r.in[:n]
	r.in = r.in[n:]
	return b, nil
}

// number reads an unsigned number of n bytes.
func (r *reader) number(n uint64) (uint64, error) {
	b, err := r.take(n)
	if err != nil {
		return 0, err
	}
	var all [8]byte
	copy(all[:], b)
	return binary.LittleEndian.Uint64(all[:]), nil
}

func (r *reader) push(v any) error {
	r.stack = append(r.stack, v)
	return nil
}

var errShort = errors.New("it takes more from the stack than there is")

func (r *reader) pop() (any, error) {
	n := len(r.stack)
	if n == 0 {
		return nil, errShort
	}
	v := r.stack[n-1]
	r.stack = r.stack[:n-1]
	return v, nil
}

// last takes n values.
func (r *reader) last(n int) (tuple, error) {
	at := len(r.stack) - n
	if at < 0 {
		return nil, errShort
	}
	out := slices.Clone(r.stack[at:])
	r.stack = r.stack[:at]
	return out, nil
}

// sinceMark takes what was pushed since the last mark.
func (r *reader) sinceMark() (tuple, error) {
	for i := len(r.stack) - 1; i >= 0; i-- {
		if _, is := r.stack[i].(mark); is {
			out := slices.Clone(r.stack[i+1:])
			r.stack = r.stack[:i]
			return out, nil
		}
	}
	return nil, errors.New("there is no mark")
}

// lengths are the bytes of the length before text of an operation.
var lengths = map[byte]uint64{'U': 1, 'T': 4, 'X': 4, 0x8c: 1, 0x8d: 8, 'C': 1, 'B': 4, 0x8e: 8, 0x96: 8}

// numbers are the bytes of the number behind an operation.
var numbers = map[byte]uint64{'K': 1, 'M': 2, 'J': 4}

// step does one operation; see Python's pickletools.
func (r *reader) step(op byte) error {
	if n := lengths[op]; n > 0 {
		length, err := r.number(n)
		if err != nil {
			return err
		}
		b, err := r.take(length)
		if err != nil {
			return err
		}
		return r.push(string(b))
	}
	if n := numbers[op]; n > 0 {
		v, err := r.number(n)
		if op == 'J' {
			v = uint64(int64(int32(v)))
		}
		return errors.Join(err, r.push(int64(v)))
	}
	switch op {
	case 0x80: // protocol
		_, err := r.take(1)
		return err
	case 0x95: // frame
		_, err := r.take(8)
		return err
	case '(':
		return r.push(mark{})
	case 'N':
		return r.push(nil)
	case 0x88, 0x89:
		return r.push(op == 0x88)
	case '}':
		return r.push(&dict{map[string]any{}})
	case ']':
		return r.push(&list{})
	case ')':
		return r.push(tuple{})
	case 'c':
		return r.global()
	case 'q', 'r', 'h', 'j', 0x94:
		return r.remember(op)
	}
	return r.build(op)
}

func (r *reader) global() error {
	var names [2]string
	for i := range names {
		line, rest, found := bytes.Cut(r.in, []byte("\n"))
		if !found {
			return errors.New("the pickle ends here")
		}
		names[i], r.in = string(line), rest
	}
	return r.push(global(names[0] + "." + names[1]))
}

// remember puts the top of the stack into the memo, or gets from there.
func (r *reader) remember(op byte) error {
	var at uint64
	var err error
	switch op {
	case 'q', 'h':
		at, err = r.number(1)
	case 'r', 'j':
		at, err = r.number(4)
	default:
		at = uint64(len(r.memo))
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, known := r.memo[uint32(at)]
		if !known {
			return fmt.Errorf("nothing is remembered as %d", at)
		}
		return r.push(v)
	}
	if len(r.stack) == 0 {
		return errShort
	}
	r.memo[uint32(at)] = r.stack[len(r.stack)-1]
	return nil
}

// build makes a value of others.
func (r *reader) build(op byte) error {
	var args tuple
	var err error
	switch op {
	case 't', 'e', 'u':
		args, err = r.sinceMark()
	case 0x85, 'a':
		args, err = r.last(1)
	case 0x86, 's', 'R', 'b', 0x93:
		args, err = r.last(2)
	case 0x87:
		args, err = r.last(3)
	default:
		return fmt.Errorf("operation 0x%02x is not read", op)
	}
	if err != nil {
		return err
	}
	switch op {
	case 't', 0x85, 0x86, 0x87:
		return r.push(args)
	case 'e', 'a', 'u', 's':
		return r.extend(args)
	case 0x93:
		module, ok := args[0].(string)
		name, ok2 := args[1].(string)
		if !ok || !ok2 {
			return errors.New("a name of Python's is no text")
		}
		return r.push(global(module + "." + name))
	case 'R':
		of, ok := args[0].(global)
		given, ok2 := args[1].(tuple)
		if !ok || !ok2 {
			return errors.New("what is called has no name")
		}
		return r.push(&object{of: of, args: given})
	}
	made, ok := args[0].(*object)
	if !ok {
		return errors.New("state is given to what is no object")
	}
	made.made = args[1]
	return r.push(made)
}

// extend adds to the list or the dictionary on the stack.
func (r *reader) extend(args tuple) error {
	if len(r.stack) == 0 {
		return errShort
	}
	switch to := r.stack[len(r.stack)-1].(type) {
	case *list:
		to.items = append(to.items, args...)
		return nil
	case *dict:
		if len(args)%2 != 0 {
			return errors.New("a key has no value")
		}
		for i := 0; i < len(args); i += 2 {
			key, ok := args[i].(string)
			if !ok {
				return fmt.Errorf("a key is %T, no text", args[i])
			}
			to.items[key] = args[i+1]
		}
		return nil
	}
	return errors.New("what is extended is no list and no dictionary")
}

// deepest is how far values lie in each other at most.
const deepest = 16

// The bytes that values may take, which can stand in each other many times: so many at
// least, so many times the pickle's, so many at most.
const (
	leastMade = 1 << 20
	expansion = 64
	mostMade  = 1 << 30
)

// maker makes values of this package's types those of Go.
type maker struct{ left int }

// spend takes bytes for a value.
func (m *maker) spend(n int) error {
	const each = 32
	if m.left -= each + n; m.left < 0 {
		return errors.New("its values take too much memory for a data set")
	}
	return nil
}

func (m *maker) plain(v any, depth int) (any, error) {
	if depth > deepest {
		return nil, errors.New("its values lie too deep in each other")
	}
	switch v := v.(type) {
	case *object:
		return m.object(v)
	case *list:
		return m.all(v.items, depth)
	case tuple:
		return m.all(v, depth)
	case *dict:
		out := map[string]any{}
		for k, item := range v.items {
			p, err := m.plain(item, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = p
		}
		return out, m.spend(len(out))
	case global, mark:
		return nil, errors.New("a name of Python's stands where a value is needed")
	}
	return v, m.spend(0)
}

func (m *maker) all(items []any, depth int) ([]any, error) {
	if err := m.spend(len(items)); err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		p, err := m.plain(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

func (m *maker) object(o *object) (any, error) {
	if text, ok := o.text(); ok {
		return text, m.spend(len(text))
	}
	a, err := o.array()
	if err != nil {
		return nil, err
	}
	return a, m.spend(len(a.Data))
}

// text is what Python 3 writes for bytes so that Python 2 can read it: a call that encodes
// text in Latin-1.
func (o *object) text() (string, bool) {
	if o.of != "_codecs.encode" || len(o.args) != 2 || o.args[1] != "latin1" {
		return "", false
	}
	encoded, ok := o.args[0].(string)
	b := make([]byte, 0, len(encoded))
	for _, r := range encoded {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), ok
}

// array is the NumPy array that an object is: its state is a version, the shape, the
// type, whether it is in Fortran's order, and the values.
func (o *object) array() (*Array, error) {
	const fields = 5
	state, ok := o.made.(tuple)
	if !slices.Contains([]global{"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}, o.of) || !ok || len(state) != fields {
		return nil, fmt.Errorf("an object made by %.60q is not read", string(o.of))
	}
	shape, ok1 := state[1].(tuple)
	kind, ok2 := state[2].(*object)
	fortran, ok3 := state[3].(bool)
	data, ok4 := state[4].(string)
	if encoded, is := state[4].(*object); is {
		data, ok4 = encoded.text()
	}
	if !ok1 || !ok2 || !ok3 || !ok4 || fortran || kind.of != "numpy.dtype" || len(kind.args) == 0 {
		return nil, errors.New("an array is laid out in a way that is not read")
	}
	a := &Array{Data: []byte(data)}
	a.Type, _ = kind.args[0].(string)
	for _, s := range shape {
		n, ok := s.(int64)
		if !ok || n < 0 {
			return nil, errors.New("the sides of an array are no numbers")
		}
		a.Shape = append(a.Shape, n)
	}
	return a, nil
}
