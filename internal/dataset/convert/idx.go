package convert

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"

	"moncae/internal/dataset"
	"moncae/internal/dataset/splitname"
	"moncae/internal/durable"
)

// writeIDX writes gzip IDX files under MNIST's names; colour images in four
// dimensions (N, C, H, W), more than 256 classes as int32.
func writeIDX(to *durable.Place, sets []*dataset.Set) error {
	for _, s := range sets {
		name := splitname.MNIST(s.Info.Split)
		dims := []int{s.Rows(), s.Shape.C, s.Shape.H, s.Shape.W}
		if s.Shape.C == 1 {
			dims = []int{s.Rows(), s.Shape.H, s.Shape.W}
		}
		err := writeIDXFile(to, fmt.Sprintf("%s-images-idx%d-ubyte.gz", name, len(dims)), 0x08, dims, s.Images)
		if err != nil {
			return err
		}
		labelled, err := complete(s)
		if err != nil {
			return err
		}
		if !labelled {
			continue
		}
		kind, labels := byte(0x08), make([]byte, 0, s.Rows())
		if len(s.Classes) > 256 {
			kind = 0x0c
		}
		for _, l := range s.Labels {
			if kind == 0x08 {
				labels = append(labels, byte(l))
			} else {
				labels = binary.BigEndian.AppendUint32(labels, uint32(l))
			}
		}
		if err := writeIDXFile(to, name+"-labels-idx1-ubyte.gz", kind, []int{s.Rows()}, labels); err != nil {
			return err
		}
	}
	return nil
}

func writeIDXFile(to *durable.Place, name string, kind byte, dims []int, values []byte) error {
	return to.Write(name, func(f durable.Writer) error {
		z := gzip.NewWriter(f)
		head := []byte{0, 0, kind, byte(len(dims))}
		for _, d := range dims {
			head = binary.BigEndian.AppendUint32(head, uint32(d))
		}
		for _, b := range [][]byte{head, values} {
			if _, err := z.Write(b); err != nil {
				return err
			}
		}
		return z.Close()
	})
}
