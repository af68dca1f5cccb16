package rundir

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"moncae/internal/arch"
)

// Weights are kept in the safetensors format: eight bytes, little-endian, with
// the length of a JSON header that gives every tensor's type, shape and place;
// then the tensors' bytes, little-endian, row-major, one after the other.

// Tensor is one float32 tensor of a file.
type Tensor struct {
	Shape  []int
	Values []float32
}

type tensorInfo struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// WriteTensors writes the parameters' weights in the order of params. The same
// weights and metadata give the same bytes.
func WriteTensors(w io.Writer, params []arch.Param, weights arch.Weights, metadata map[string]string) error {
	if err := weights.Check(params); err != nil {
		return err
	}
	header, err := tensorHeader(params, metadata)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, p := range params {
		if err := binary.Write(w, binary.LittleEndian, weights[p.Name]); err != nil {
			return err
		}
	}
	return nil
}

func tensorHeader(params []arch.Param, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	entry := func(name string, v any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		_, err = fmt.Fprintf(&b, "%s:%s", key, value)
		return err
	}
	if err := entry("__metadata__", metadata); err != nil {
		return nil, err
	}
	var at int64
	for _, p := range params {
		end := at + 4*int64(p.Size())
		if err := entry(p.Name, tensorInfo{"F32", p.Shape, [2]int64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ') // the data starts aligned
	}
	return b.Bytes(), nil
}

// ReadTensors reads a file's bytes. It trusts no length in them: its memory is
// bounded by the file's own size.
func ReadTensors(content []byte) (tensors map[string]Tensor, metadata map[string]string, err error) {
	if len(content) < 8 {
		return nil, nil, fmt.Errorf("%d bytes; the header's length alone takes 8", len(content))
	}
	length := binary.LittleEndian.Uint64(content)
	if length > uint64(len(content)-8) {
		return nil, nil, fmt.Errorf("byte 0: a header of %d bytes in a file of %d", length, len(content))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(content[8:8+length], &header); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if raw, ok := header["__metadata__"]; ok {
		if err := json.Unmarshal(raw, &metadata); err != nil {
			return nil, nil, fmt.Errorf("header: __metadata__: %w", err)
		}
		delete(header, "__metadata__")
	}
	data := content[8+length:]
	tensors = make(map[string]Tensor, len(header))
	var used int64
	for _, name := range slices.Sorted(maps.Keys(header)) {
		t, err := readTensor(header[name], data)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors[name] = t
		used += 4 * int64(len(t.Values))
		if used > int64(len(data)) {
			return nil, nil, fmt.Errorf("tensor %q: it overlaps another", name)
		}
	}
	if used != int64(len(data)) {
		return nil, nil, fmt.Errorf("the tensors take %d of %d bytes", used, len(data))
	}
	return tensors, metadata, nil
}

func readTensor(raw json.RawMessage, data []byte) (Tensor, error) {
	var info tensorInfo
	if err := json.Unmarshal(raw, &info); err != nil {
		return Tensor{}, err
	}
	if info.DType != "F32" {
		return Tensor{}, fmt.Errorf("dtype %q; moncae's weights are F32", info.DType)
	}
	begin, end := info.Offsets[0], info.Offsets[1]
	if begin < 0 || end < begin || end > int64(len(data)) {
		return Tensor{}, fmt.Errorf("data_offsets %v in %d bytes of data", info.Offsets, len(data))
	}
	size := int64(1)
	for _, d := range info.Shape {
		if d < 0 || d > 0 && size > int64(len(data))/int64(d) {
			return Tensor{}, fmt.Errorf("shape %v in %d bytes of data", info.Shape, len(data))
		}
		size *= int64(d)
	}
	if end-begin != 4*size {
		return Tensor{}, fmt.Errorf("shape %v takes %d bytes, data_offsets %v", info.Shape, 4*size, info.Offsets)
	}
	t := Tensor{info.Shape, make([]float32, size)}
	for i := range t.Values {
		t.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[begin+4*int64(i):]))
	}
	return t, nil
}

// ReadWeights reads the weights of a network with these parameters.
func ReadWeights(content []byte, params []arch.Param) (arch.Weights, error) {
	tensors, _, err := ReadTensors(content)
	if err != nil {
		return nil, err
	}
	return weightsOf(tensors, params)
}

// weightsOf checks tensors against a network's parameters.
func weightsOf(tensors map[string]Tensor, params []arch.Param) (arch.Weights, error) {
	w := make(arch.Weights, len(tensors))
	for name, t := range tensors {
		w[name] = t.Values
	}
	if err := w.Check(params); err != nil {
		return nil, err
	}
	for _, p := range params {
		if !slices.Equal(tensors[p.Name].Shape, p.Shape) {
			return nil, fmt.Errorf("tensor %q: shape %v, the network's is %v", p.Name, tensors[p.Name].Shape, p.Shape)
		}
	}
	return w, nil
}
