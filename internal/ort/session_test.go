//go:build cgo

package ort

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"moncae/internal/fault"
	"moncae/internal/half"
	"moncae/internal/onnx"
)

// doubled is relu(2x) on [N, 2, 1, 1] values of a type.
func doubled(kind onnx.Type) []byte {
	g := onnx.NewGraph("doubled")
	g.Input(onnx.Value{Name: "image", Type: onnx.Float, Dims: []int64{-1, 2, 1, 1}})
	two := g.Floats("two", onnx.Float, nil, []float32{2})
	g.Node("Mul", "twice", []string{"image", two})
	g.Node("Relu", "relu", []string{"twice"})
	g.Node("Cast", "latent", []string{"relu"}, onnx.IntAttr("to", int64(kind)))
	g.Output(onnx.Value{Name: "latent", Type: kind, Dims: []int64{-1, 2, 1, 1}})
	return g.Model("test", nil).Bytes()
}

func parsed(model []byte, o Options) (*Session, error) {
	m, err := onnx.Parse(model, o.name())
	if err != nil {
		return nil, err
	}
	return OpenModel(m, o)
}

func open(t *testing.T, model []byte) *Session {
	t.Helper()
	if _, _, err := Load(""); err != nil {
		t.Skip(err)
	}
	s, err := parsed(model, Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestRunFillsTheCallersSlices(t *testing.T) {
	x := []float32{1, -1, 2, -2, 0.5, 3}
	want := []float32{2, 0, 4, 0, 1, 6}
	s := open(t, doubled(onnx.Float))
	if s.Provider() != CPU || s.Inputs()[0].Name != "image" || s.Outputs()[0].Name != "latent" {
		t.Errorf("provider %s, inputs %v, outputs %v", s.Provider(), s.Inputs(), s.Outputs())
	}
	for _, n := range []int64{3, 1} {
		y := make([]float32, 2*n)
		if err := s.Run([]Tensor{Floats(x[:2*n], n, 2, 1, 1)}, []Tensor{Floats(y, n, 2, 1, 1)}); err != nil {
			t.Fatal(err)
		}
		for i := range y {
			if y[i] != want[i] {
				t.Errorf("batch %d: %v, want %v", n, y, want[:2*n])
			}
		}
	}
	halves := make([]uint16, 6)
	if err := open(t, doubled(onnx.Float16)).Run([]Tensor{Floats(x, 3, 2, 1, 1)}, []Tensor{{[]int64{3, 2, 1, 1}, halves}}); err != nil {
		t.Fatal(err)
	}
	whole := make([]uint8, 6)
	if err := open(t, doubled(onnx.Uint8)).Run([]Tensor{Floats(x, 3, 2, 1, 1)}, []Tensor{{[]int64{3, 2, 1, 1}, whole}}); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if half.Value(halves[i]) != w || float32(whole[i]) != w {
			t.Errorf("float16 %v, uint8 %v, want %v", halves, whole, want)
			break
		}
	}
}

func TestRunRefuses(t *testing.T) {
	s := open(t, doubled(onnx.Float))
	x := Floats(make([]float32, 4), 2, 2, 1, 1)
	cases := map[string]struct {
		ins, outs []Tensor
		says      string
	}{
		"no input":       {nil, []Tensor{x}, "0 inputs are given"},
		"no output":      {[]Tensor{x}, nil, "0 outputs are given"},
		"other channels": {[]Tensor{Floats(make([]float32, 6), 2, 3, 1, 1)}, []Tensor{x}, "shape"},
		"other rank":     {[]Tensor{Floats(make([]float32, 4), 2, 2)}, []Tensor{x}, "shape"},
		"short data":     {[]Tensor{Floats(make([]float32, 3), 2, 2, 1, 1)}, []Tensor{x}, "3 values"},
		"no batch":       {[]Tensor{Floats(nil, 0, 2, 1, 1)}, []Tensor{x}, "0 values"},
		"negative batch": {[]Tensor{Floats(nil, -1, 2, 1, 1)}, []Tensor{x}, "0 values"},
		"huge batch":     {[]Tensor{Floats(nil, 1<<62, 2, 1, 1)}, []Tensor{x}, "0 values"},
		"bytes":          {[]Tensor{{[]int64{2, 2, 1, 1}, make([]uint8, 4)}}, []Tensor{x}, "uint8 values are given, float32 is wanted"},
		"half":           {[]Tensor{{[]int64{2, 2, 1, 1}, make([]uint16, 4)}}, []Tensor{x}, "float16 values are given"},
		"other Go type":  {[]Tensor{{[]int64{2, 2, 1, 1}, "x"}}, []Tensor{x}, "string"},
		"other batch":    {[]Tensor{x}, []Tensor{Floats(make([]float32, 2), 1, 2, 1, 1)}, "the model"},
	}
	for name, c := range cases {
		if err := s.Run(c.ins, c.outs); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestManySessionsAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	shared := open(t, doubled(onnx.Float))
	failures := make(chan error, 64)
	for g := range 4 {
		own := open(t, doubled(onnx.Float))
		wg.Go(func() {
			for i := range 50 {
				s := shared
				if i%2 == 0 {
					s = own
				}
				n := int64(i%5 + 1)
				x, y := make([]float32, 2*n), make([]float32, 2*n)
				for k := range x {
					x[k] = float32(g*100 + i + k)
				}
				if err := s.Run([]Tensor{Floats(x, n, 2, 1, 1)}, []Tensor{Floats(y, n, 2, 1, 1)}); err != nil {
					failures <- err
					return
				}
				for k := range y {
					if y[k] != 2*x[k] {
						failures <- fmt.Errorf("2·%v = %v", x[k], y[k])
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

func TestOnlyOneLibrary(t *testing.T) {
	path, version, err := Load("")
	if err != nil {
		t.Skip(err)
	}
	again, v, err := Load(path)
	if again != path || v != version || err != nil {
		t.Errorf("%s again: %s %s, %v", path, again, v, err)
	}
	other := filepath.Join(t.TempDir(), filepath.Base(path))
	library, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, library, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(other); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), other) {
		t.Errorf("a second library: %v", err)
	}
}

// Where there is a driver, auto tries the GPU, and says once why it runs on the
// CPU after all: the library of the tests has no CUDA.
func TestAutoFallsBackAloud(t *testing.T) {
	if nvidiaPresent() {
		t.Skip("there is a GPU, which may work")
	}
	if _, _, err := Load(""); err != nil {
		t.Skip(err)
	}
	var log bytes.Buffer
	files, logger := driverFiles, slog.Default()
	defer func() { driverFiles = files; slog.SetDefault(logger) }()
	driverFiles = []string{t.TempDir()}
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 {
		s, err := parsed(doubled(onnx.Float), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Provider() != CPU {
			t.Errorf("provider %s", s.Provider())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "reason="); n != 1 {
		t.Errorf("%d reasons are given: %s", n, log.String())
	}
}

func TestOpenRefuses(t *testing.T) {
	path, version, err := Load("")
	if err != nil {
		t.Skip(err)
	}
	if checkVersion(version) != nil || !filepath.IsAbs(path) {
		t.Errorf("loaded %s, version %s", path, version)
	}
	g := onnx.NewGraph("g")
	g.Input(onnx.Value{Name: "image", Type: onnx.Float, Dims: []int64{-1, 2}})
	g.Node("NoSuchOperator", "latent", []string{"image"})
	g.Output(onnx.Value{Name: "latent", Type: onnx.Float, Dims: []int64{-1, 2}})
	unknown := g.Model("test", nil).Bytes()

	external, err := os.ReadFile("../onnx/testdata/refused_external.onnx")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		model []byte
		o     Options
		kind  fault.Kind
		says  string
	}{
		"no model":         {[]byte("hello"), Options{Name: "x.onnx"}, fault.Usage, "x.onnx"},
		"unknown operator": {unknown, Options{Name: "x.onnx", Device: "cpu"}, fault.Damaged, "NoSuchOperator"},
		"external data":    {external, Options{}, fault.Usage, "another file"},
		"device":           {doubled(onnx.Float), Options{Device: "tpu"}, fault.Usage, "cuda:N"},
		"threads":          {doubled(onnx.Float), Options{Threads: -1}, fault.Usage, "threads"},
		"other library":    {doubled(onnx.Float), Options{Library: filepath.Join(t.TempDir(), "x.so")}, fault.Missing, "not there"},
	}
	if !nvidiaPresent() {
		cases["no GPU"] = struct {
			model []byte
			o     Options
			kind  fault.Kind
			says  string
		}{doubled(onnx.Float), Options{Device: "cuda"}, fault.Missing, "onnxruntime-gpu"}
	}
	for name, c := range cases {
		s, err := parsed(c.model, c.o)
		if err == nil {
			t.Errorf("%s: opened; %v", name, s.Close())
		}
		if fault.Of(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: error %v, want kind %d and %q", name, err, c.kind, c.says)
		}
	}
	foreign, err := onnx.ReadFile("../onnx/testdata/encoder.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenModel(foreign, Options{Device: "auto"}); err != nil {
		t.Errorf("a model from Python: %v", err)
	}
}

func TestCheckedConvolution(t *testing.T) {
	s, err := OpenModel(oneConvolution(), Options{Device: "cpu"})
	if fault.Of(err) == fault.Missing && err != nil {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var y [1]float32
	if err := s.Run([]Tensor{Floats([]float32{1, 2, 3, 4}, 1, 1, 2, 2)}, []Tensor{Floats(y[:], 1, 1, 1, 1)}); err != nil || y[0] != 1+4+9+16 {
		t.Errorf("%v (%v), want 30", y, err)
	}
}
