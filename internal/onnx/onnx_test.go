package onnx

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/fault"
)

func tiny(t *testing.T, metadata map[string]string) *Model {
	t.Helper()
	g := NewGraph("tiny")
	g.Input(Value{"image", Float, []int64{-1, 1, 2, 2}})
	w := g.Floats("w", Float, []int64{1, 1, 1, 1}, []float32{2})
	g.Node("Conv", "c", []string{"image", w}, IntsAttr("kernel_shape", 1, 1))
	g.Node("Relu", "latent", []string{"c"})
	g.Output(Value{"latent", Float, []int64{-1, 1, 2, 2}})
	return g.Model("v1", metadata)
}

func ops(m *Model) []string {
	var names []string
	for _, n := range m.Nodes() {
		names = append(names, n.Op)
	}
	return names
}

func TestWrittenModelReadsBack(t *testing.T) {
	m := tiny(t, map[string]string{"b": "2", "a": "1"})
	again, err := Parse(m.Bytes(), "tiny.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), m.Bytes()) || !bytes.Equal(m.Bytes(), tiny(t, map[string]string{"a": "1", "b": "2"}).Bytes()) {
		t.Error("equal models differ in bytes")
	}
	if got := again.Metadata(); len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
		t.Errorf("metadata %v", got)
	}
	hash := again.Hash()
	again.SetMetadata(map[string]string{"c": "3"})
	if again.Hash() != hash {
		t.Error("the hash changes with the metadata")
	}
	if got := again.Metadata(); len(got) != 1 || got["c"] != "3" {
		t.Errorf("metadata after SetMetadata: %v", got)
	}
	in, out := again.Inputs(), again.Outputs()
	if len(in) != 1 || in[0].Name != "image" || in[0].Type != Float || !slices.Equal(in[0].Dims, []int64{-1, 1, 2, 2}) || len(out) != 1 || out[0].Name != "latent" {
		t.Errorf("inputs %v, outputs %v", in, out)
	}
	if !slices.Equal(ops(again), []string{"Conv", "Relu"}) || again.Opset() != Opset {
		t.Errorf("ops %v, opset %d", ops(again), again.Opset())
	}
}

// The models and the hashes come from the onnx package of Python.
func TestReadsWhatPythonWrites(t *testing.T) {
	var want struct{ Graphs map[string]string }
	b, err := os.ReadFile("testdata/hashes.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, hash := range want.Graphs {
		m, err := ReadFile(filepath.Join("testdata", name))
		if kind, refused := strings.CutPrefix(name, "refused_"); refused {
			kind = strings.TrimSuffix(kind, ".onnx")
			words := map[string]string{
				"external": "../../secret", "sparse": "sparse", "missing": "elsewhere.data, which isn't there", "short": "has 80 bytes, the model wants 72 from byte 16",
				"lie": "offset is",
			}[kind]
			if fault.Of(err) != fault.Usage || words == "" || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %v, want one of usage that says %q", name, err, words)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Hash() != hash {
			t.Errorf("%s: hash %s, Python's %s", name, m.Hash(), hash)
		}
		if in := m.Inputs(); len(in) != 1 || in[0].Name != "image" {
			t.Errorf("%s: inputs %v", name, in)
		}
		if m.Metadata()["note"] != "made by onnx" {
			t.Errorf("%s: metadata %v", name, m.Metadata())
		}
	}
}

func TestReadFileRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.onnx")
	if err := os.WriteFile(text, []byte("# not a model\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.onnx")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.onnx") // a model of ours
	own := tiny(t, nil).Bytes()
	if err := os.WriteFile(cut, own[:len(own)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]fault.Kind{
		text: fault.Usage, empty: fault.Usage, dir: fault.Usage, cut: fault.Damaged, filepath.Join(dir, "absent.onnx"): fault.Usage,
	} {
		if _, err := ReadFile(path); err == nil || fault.Of(err) != kind || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want kind %d and the path", path, err, kind)
		}
	}
}

// Every cut and every damaged byte of a real file is refused or read; that of
// another program isn't ours to call damaged.
func TestDamageNeverPanics(t *testing.T) {
	whole, err := os.ReadFile("testdata/encoder.onnx")
	if err != nil {
		t.Fatal(err)
	}
	cutRead := 0
	for n := range whole {
		if _, err := Parse(whole[:n], "cut"); err == nil {
			cutRead++
		} else if fault.Of(err) != fault.Usage {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	// A model is a run of fields: between two of them, after the graph and the
	// operator set, a cut leaves a whole model with less metadata.
	if cutRead > 3 {
		t.Errorf("%d of %d cuts were accepted", cutRead, len(whole))
	}
	for i := range whole {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[i] ^= flip
			if _, err := Parse(b, "flipped"); err != nil && fault.Of(err) != fault.Usage {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}

func TestManyFieldsAreRefusedBeforeAllocation(t *testing.T) {
	nodes := bytes.Repeat([]byte{0x0a, 0x00}, maxFields+1) // empty nodes
	graph := append([]byte{0x3a, 0, 0, 0, 0}, nodes...)
	for i, n := 1, len(nodes); i < 5; i, n = i+1, n>>7 {
		graph[i] = byte(n&0x7f) | 0x80
	}
	graph[4] &= 0x7f
	if _, err := Parse(graph, "many"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
}

func TestConcat(t *testing.T) {
	a := tiny(t, map[string]string{"k": "v"})
	head := func(c int64) *Model {
		g := NewGraph("head")
		g.Input(Value{"latent", Float, []int64{-1, c, 2, 2}})
		g.Node("Flatten", "logits", []string{"latent"})
		g.Output(Value{"logits", Float, []int64{-1, 4 * c}})
		return g.Model("v1", nil)
	}
	both, err := Concat("pipeline", a, head(1))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ops(both), []string{"Conv", "Relu", "Flatten"}) || both.Inputs()[0].Name != "image" ||
		both.Outputs()[0].Name != "logits" || both.Metadata()["k"] != "v" {
		t.Errorf("ops %v, inputs %v, outputs %v", ops(both), both.Inputs(), both.Outputs())
	}
	if _, err := Parse(both.Bytes(), "pipeline.onnx"); err != nil {
		t.Error(err)
	}
	if _, err := Concat("pipeline", a, head(2)); err == nil || !strings.Contains(err.Error(), "shape") {
		t.Errorf("1 channel into 2: error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(files) == 0 {
		f.Fatal("no models in testdata", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b, "fuzz")
		if err != nil {
			if sort := fault.Of(err); sort != fault.Usage && sort != fault.Damaged {
				t.Fatalf("sort of %v", err)
			}
			return
		}
		again, err := Parse(m.Bytes(), "again")
		if err != nil {
			t.Fatalf("a model that was accepted is refused when written again: %v", err)
		}
		if again.Hash() != m.Hash() || len(again.Inputs()) != len(m.Inputs()) || len(again.Nodes()) != len(m.Nodes()) {
			t.Fatal("a model changes when written again")
		}
	})
}
