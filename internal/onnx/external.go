package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"strconv"

	"moncae/internal/fault"
	"moncae/internal/onnx/onnxpb"
)

// beside reads the weights that a model keeps in files of its own folder.
type beside struct {
	dir   string
	left  int64 // bytes that may still be read
	files map[string][]byte
}

// load puts the weights into the model, which is then the one that onnx.load makes
// in Python, and has its hash.
func (w *beside) load(m *onnxpb.ModelProto) error {
	for t := range tensors(m) {
		if len(t.ExternalData) == 0 && t.GetDataLocation() == onnxpb.TensorProto_DEFAULT {
			continue
		}
		data, err := w.data(external(t))
		if err != nil {
			return fmt.Errorf("weights %q: %w", t.GetName(), err)
		}
		t.RawData, t.ExternalData = data, nil
		t.DataLocation = onnxpb.TensorProto_DEFAULT.Enum()
	}
	return nil
}

// data are the bytes that a tensor's keys point to.
func (w *beside) data(keys map[string]string) ([]byte, error) {
	name := keys["location"]
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("they are in %q, outside the model's folder, where moncae does not look: save the model in one file (onnx.save with save_as_external_data=False)", name)
	}
	file, err := w.file(name)
	if err != nil {
		return nil, err
	}
	size := int64(len(file))
	offset, err := number(keys, "offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := number(keys, "length", max(0, size-offset))
	if err != nil {
		return nil, err
	}
	if offset > size || length > size-offset {
		return nil, fmt.Errorf("%s has %d bytes, the model wants %d from byte %d on: the two files don't belong together, or one was cut short: copy both anew", name, size, length, offset)
	}
	return file[offset : offset+length : offset+length], nil
}

func (w *beside) file(name string) ([]byte, error) {
	if b, ok := w.files[name]; ok {
		return b, nil
	}
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	b, err := readAll(path, w.left)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Usagef("they are in %s, which isn't there: copy both files into one folder", path)
	case err != nil:
		return nil, err
	}
	if w.files == nil {
		w.files = map[string][]byte{}
	}
	w.files[name], w.left = b, w.left-int64(len(b))
	return b, nil
}

func external(t *onnxpb.TensorProto) map[string]string {
	keys := map[string]string{}
	for _, p := range t.ExternalData {
		keys[p.GetKey()] = p.GetValue()
	}
	return keys
}

func number(keys map[string]string, key string, otherwise int64) (int64, error) {
	text, ok := keys[key]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %.40q; a number of bytes is wanted", key, text)
	}
	return n, nil
}

// tensors are all constants of a model: of its graph, of graphs within it, and of
// its functions.
func tensors(m *onnxpb.ModelProto) iter.Seq[*onnxpb.TensorProto] {
	return func(yield func(*onnxpb.TensorProto) bool) {
		ok := m.Graph == nil || eachOfGraph(m.Graph, yield)
		for _, f := range m.Functions {
			ok = ok && eachOfAttributes(f.AttributeProto, yield) && eachOfNodes(f.Node, yield)
		}
	}
}

func eachOfGraph(g *onnxpb.GraphProto, yield func(*onnxpb.TensorProto) bool) bool {
	for _, t := range g.Initializer {
		if !yield(t) {
			return false
		}
	}
	return eachOfNodes(g.Node, yield)
}

func eachOfNodes(nodes []*onnxpb.NodeProto, yield func(*onnxpb.TensorProto) bool) bool {
	for _, n := range nodes {
		if !eachOfAttributes(n.Attribute, yield) {
			return false
		}
	}
	return true
}

func eachOfAttributes(all []*onnxpb.AttributeProto, yield func(*onnxpb.TensorProto) bool) bool {
	for _, a := range all {
		if a.T != nil && !yield(a.T) {
			return false
		}
		for _, t := range a.Tensors {
			if !yield(t) {
				return false
			}
		}
		for _, g := range subgraphs(a) {
			if !eachOfGraph(g, yield) {
				return false
			}
		}
	}
	return true
}
