package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"moncae/internal/certificate"
	"moncae/internal/fault"
	"moncae/internal/onnx/onnxpb"
	"moncae/internal/regular"
)

// Limits of what is read.
const (
	MaxBytes  = 512 << 20 // length of a model, with the weights beside it
	maxFields = 1 << 20   // fields that hold text, bytes or messages, in the whole file
	maxDepth  = 40        // messages within messages; a subgraph is three of them
)

// ReadFile reads and checks a model, also against the certificate of an export beside
// it. A file that isn't there or can't be read is a usage error.
func ReadFile(path string) (*Model, error) {
	b, err := readAll(path, MaxBytes)
	if err != nil {
		return nil, err
	}
	m, err := parse(b, &beside{dir: filepath.Dir(path), left: MaxBytes - int64(len(b))})
	if err != nil {
		if damage := certificate.Check(path, b, nil); damage != nil {
			return nil, damage
		}
		return nil, refused(b, path, err)
	}
	if err := certificate.Check(path, b, m.Hash); err != nil {
		return nil, err
	}
	return m, nil
}

// readAll reads a file of at most so many bytes.
func readAll(path string, most int64) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fault.Usagef("%w", err)
	case info.Size() > most:
		return nil, fault.Usagef("%s: a model of more than %d MiB, the most that moncae reads", path, MaxBytes>>20)
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	return b, nil
}

// Parse checks a file's content; name stands for it in errors. Weights in other files
// are refused.
func Parse(b []byte, name string) (*Model, error) {
	if len(b) > MaxBytes {
		return nil, fault.Usagef("%s: a model of more than %d MiB, the most that moncae reads", name, MaxBytes>>20)
	}
	m, err := parse(b, nil)
	if err != nil {
		return nil, refused(b, name, err)
	}
	return m, nil
}

// refused sorts what is wrong with a file: moncae's own models are whole unless they
// were damaged.
func refused(b []byte, name string, err error) error {
	if bytes.Contains(b[:min(len(b), ownWithin)], []byte(producer)) {
		return fault.Damagedf("%s: %w; export it anew", name, err)
	}
	return fault.Usagef("%s: %w", name, err)
}

// ownWithin are the first bytes of a model, in which its producer's name stands.
const ownWithin = 64

func parse(b []byte, weights *beside) (*Model, error) {
	if len(b) == 0 {
		return nil, errors.New("not an ONNX model: the file is empty")
	}
	s := scanner{}
	pb := &onnxpb.ModelProto{}
	if err := s.message(b, 0, pb.ProtoReflect().Descriptor(), "model"); err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(b, pb); err != nil {
		return nil, errors.New("not an ONNX model: its fields are not those of one")
	}
	if weights != nil {
		if err := weights.load(pb); err != nil {
			return nil, err
		}
	}
	if err := check(pb); err != nil {
		return nil, err
	}
	return &Model{pb}, nil
}

// scanner walks over a message's wire format before anything is allocated for
// it: it finds the place of the damage, and keeps a small file from asking for
// a lot of memory.
type scanner struct{ fields int }

func (s *scanner) message(b []byte, at int, d protoreflect.MessageDescriptor, path string) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("not an ONNX model: byte %d, in %s: no field begins here", at, path)
		}
		size := protowire.ConsumeFieldValue(number, kind, b[n:])
		if size < 0 {
			return fmt.Errorf("not an ONNX model, or cut short: byte %d, in %s: field %d reaches beyond the end", at, path, number)
		}
		if kind == protowire.BytesType {
			if s.fields++; s.fields > maxFields {
				return fmt.Errorf("byte %d, in %s: more than %d fields", at, path, maxFields)
			}
			if f := d.Fields().ByNumber(number); f != nil && f.Message() != nil {
				inner, prefix := protowire.ConsumeBytes(b[n:])
				start := at + n + prefix - len(inner)
				if err := s.message(inner, start, f.Message(), path+"."+string(f.Name())); err != nil {
					return err
				}
			}
		}
		b, at = b[n+size:], at+n+size
	}
	return nil
}
