package convert

import (
	"archive/zip"
	"encoding/binary"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/durable"
	"moncae/internal/imagefile"
)

// writeNPZ writes x_train, y_train, x_test … (or x, y) as keras' mnist.npz has
// them: images N×H×W or N×H×W×C of uint8, labels of int64.
func writeNPZ(to *durable.Place, sets []*dataset.Set) error {
	return to.Write("", func(f durable.Writer) error {
		z := zip.NewWriter(f)
		for _, s := range sets {
			suffix := ""
			if s.Info.Split != source.Whole {
				suffix = "_" + s.Info.Split
			}
			if err := writeArrays(z, s, suffix); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func writeArrays(z *zip.Writer, s *dataset.Set, suffix string) error {
	labelled, err := complete(s)
	if err != nil {
		return err
	}
	w, err := z.Create("x" + suffix + ".npy")
	if err != nil {
		return err
	}
	dims := []int64{int64(s.Rows()), int64(s.Shape.H), int64(s.Shape.W)}
	if s.Shape.C > 1 {
		dims = append(dims, int64(s.Shape.C))
	}
	if _, err := w.Write(imagefile.NPYHeader("|u1", dims...)); err != nil {
		return err
	}
	var b []uint8
	for i := range s.Rows() {
		b = hwc(b, s, i)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if !labelled {
		return nil
	}
	if w, err = z.Create("y" + suffix + ".npy"); err != nil {
		return err
	}
	if _, err := w.Write(imagefile.NPYHeader("<i8", int64(s.Rows()))); err != nil {
		return err
	}
	b = b[:0]
	for _, l := range s.Labels {
		b = binary.LittleEndian.AppendUint64(b, uint64(l))
	}
	_, err = w.Write(b)
	return err
}
