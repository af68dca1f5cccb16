package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"moncae/internal/certificate"
	"moncae/internal/fault"
	"moncae/internal/onnx/onnxpb"
)

// Limits of what is read.
const (
	MaxBytes  = 512 << 20 // length of a file
	maxFields = 1 << 20   // fields that hold text, bytes or messages, in the whole file
)

// ReadFile reads and checks a model, also against the certificate of an export beside
// it. A file that isn't there or can't be read is a usage error; one that holds
// something else, a damaged one.
func ReadFile(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err != nil {
		return nil, fault.Usagef("%w", err)
	} else if !info.Mode().IsRegular() {
		return nil, fault.Usagef("%s: not a file; an .onnx file is wanted", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	m, err := Parse(b, path)
	if err != nil {
		return nil, err
	}
	if err := certificate.Check(path, b, m.Hash); err != nil {
		return nil, err
	}
	return m, nil
}

// Parse checks a file's content; name stands for it in errors.
func Parse(b []byte, name string) (*Model, error) {
	if len(b) > MaxBytes {
		return nil, fault.Damagedf("%s: longer than %d MiB, the most that a model of moncae may have", name, MaxBytes>>20)
	}
	m, err := parse(b)
	if err != nil {
		return nil, fault.Damagedf("%s: %w; an ONNX model in one file is wanted, as moncae export writes", name, err)
	}
	return m, nil
}

func parse(b []byte) (*Model, error) {
	if len(b) == 0 {
		return nil, errors.New("the file is empty")
	}
	s := scanner{}
	pb := &onnxpb.ModelProto{}
	if err := s.message(b, 0, pb.ProtoReflect().Descriptor(), "model"); err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: 16}).Unmarshal(b, pb); err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w", err)
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
