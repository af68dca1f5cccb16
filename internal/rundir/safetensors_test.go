package rundir

import (
	"bytes"
	"encoding/binary"
	"os"
	"reflect"
	"strings"
	"testing"

	"moncae/internal/arch"
)

// two is what testdata/fixture.py writes with Python's safetensors.
func two() ([]arch.Param, arch.Weights) {
	w := make([]float32, 18)
	for i := range w {
		w[i] = float32(i) / 7
	}
	return []arch.Param{
			{Name: "encoder.0.bias", Role: arch.Bias, Shape: []int{2}},
			{Name: "encoder.0.weight", Role: arch.Weight, Shape: []int{2, 1, 3, 3}},
		}, arch.Weights{
			"encoder.0.bias":   {0.5, -1},
			"encoder.0.weight": w,
		}
}

func TestTensorsAreThoseOfPython(t *testing.T) {
	python, err := os.ReadFile("testdata/two.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	params, weights := two()
	tensors, metadata, err := ReadTensors(python)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := weightsOf(tensors, params); err != nil || !reflect.DeepEqual(got, weights) {
		t.Errorf("read %v (%v), want %v", got, err, weights)
	}
	if metadata["moncae.run"] != "abc" {
		t.Errorf("metadata %v", metadata)
	}
	var b bytes.Buffer
	if err := WriteTensors(&b, params, weights, metadata); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), python) {
		t.Errorf("wrote\n%q\nPython wrote\n%q", b.Bytes(), python)
	}
}

func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestReadTensorsRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"nothing":          {nil, "0 bytes"},
		"a huge header":    {[]byte{255, 255, 255, 255, 255, 255, 255, 127, '{'}, "a header of"},
		"no JSON":          {file("{]", 0), "header"},
		"another type":     {file(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, 4), "F16"},
		"beyond the end":   {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), "data_offsets"},
		"backwards":        {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "data_offsets"},
		"a shape too big":  {file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), "shape"},
		"a negative shape": {file(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 4), "shape"},
		"a wrong shape":    {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "shape"},
		"an overlap": {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
			"overlaps"},
		"a rest": {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), "4 of 8"},
	} {
		if _, _, err := ReadTensors(c.content); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestWeightsMustFitTheNetwork(t *testing.T) {
	params, weights := two()
	tensors := map[string]Tensor{}
	for _, p := range params {
		tensors[p.Name] = Tensor{p.Shape, weights[p.Name]}
	}
	tensors["encoder.0.weight"] = Tensor{[]int{1, 2, 3, 3}, weights["encoder.0.weight"]}
	if _, err := weightsOf(tensors, params); err == nil || !strings.Contains(err.Error(), "encoder.0.weight") {
		t.Errorf("a transposed shape: %v", err)
	}
	if err := WriteTensors(&bytes.Buffer{}, params, arch.Weights{}, nil); err == nil {
		t.Error("wrote weights that miss a tensor")
	}
}

func FuzzReadTensors(f *testing.F) {
	python, err := os.ReadFile("testdata/two.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(python)
	f.Add(file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, content []byte) {
		tensors, _, err := ReadTensors(content)
		if err != nil {
			return
		}
		for name, x := range tensors {
			size := 1
			for _, d := range x.Shape {
				size *= d
			}
			if size != len(x.Values) {
				t.Errorf("%s: shape %v, %d values", name, x.Shape, len(x.Values))
			}
		}
	})
}
