package dataset

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestNPZ reads the layouts of keras' mnist.npz and of a plain archive.
func TestNPZ(t *testing.T) {
	train, test := load(t, "npy/testdata/keras.npz", Options{}), load(t, "npy/testdata/keras.npz", Options{Split: "test"})
	if train.Rows() != 12 || test.Rows() != 6 || test.Labels[0] != 2 || len(test.Classes) != 5 || test.Image(0)[0] != 144*7%256 {
		t.Errorf("%d and %d rows, labels %v, classes %v", train.Rows(), test.Rows(), test.Labels, test.Classes)
	}
	whole := load(t, "npy/testdata/whole.npz", Options{Split: "all"})
	if whole.Rows() != 6 || whole.Shape.String() != "3×3×4" || whole.Image(0)[12] != 7 || whole.Labels[5] != 0 {
		t.Errorf("%d rows of %v, labels %v", whole.Rows(), whole.Shape, whole.Labels)
	}
	// The same pixels, channels first, have the same content.
	a, b := load(t, "npy/testdata/nhwc.npy", Options{Split: "all"}), load(t, "npy/testdata/nchw.npy", Options{Split: "all"})
	if !bytes.Equal(a.Images, b.Images) || a.Info.Fingerprint != b.Info.Fingerprint || a.Info.Fingerprint == whole.Info.Fingerprint {
		t.Error("layouts differ in content, or labels don't count")
	}
	for name, want := range map[string]string{
		"bad-count.npz": "holds 5 labels, x.npy holds 18 images",
	} {
		_, err := Load(context.Background(), "npy/testdata/"+name, Options{Split: "all"})
		wantFault(t, name, err, want)
	}
}

// TestArraysLeftOut: what isn't read of an archive is said.
func TestArraysLeftOut(t *testing.T) {
	for name, want := range map[string]string{
		"names.npz": "arrays that are no images and no labels, by their names", "measures.npz": "arrays of labels that give no classes: 0.5 is a measure", "whole.npz": "arrays that are no images and no labels, by their names",
	} {
		s := load(t, "npy/testdata/"+name, Options{Split: "all"})
		if o := s.Info.LeftOut; len(o) != 1 || o[0].Reason != want || (s.Labels == nil) != (name != "whole.npz") {
			t.Errorf("%s: left out %+v, labels %v", name, o, s.Labels)
		}
	}
}

func TestScaledArrays(t *testing.T) {
	s := load(t, Default, Options{ImageSize: &[2]int{14, 14}, Channels: 3, Limit: 50})
	if s.Shape.String() != "3×14×14" || !bytes.Equal(s.Image(7)[:196], s.Image(7)[392:]) {
		t.Errorf("shape %v", s.Shape)
	}
	if whole := load(t, Default, Options{}); strings.Join(whole.Classes, "") != "0123456789" {
		t.Errorf("classes %v", whole.Classes)
	}
}
