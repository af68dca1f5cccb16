package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
)

// models runs an autoencoder by ONNX Runtime, on the CPU and, where the engine is
// on a GPU, there; both against the engine's own forward pass.
func models(_ context.Context, t *trials) error {
	s, err := imagesFor(everyLayer(arch.ELU), 4, graph.BCE)
	if err != nil {
		return err
	}
	nets, err := onnxnet.Build(everyLayer(arch.ELU), s.weights, onnx.Float)
	if err != nil {
		return err
	}
	want, err := s.infer(t.engine)
	if err != nil {
		return err
	}
	// The GPU first: a process loads one library, and the GPU's runs on both.
	devices := []string{"cpu"}
	if t.engine.Info().Name == "cuda" {
		devices = []string{t.Models.Device, "cpu"}
	}
	var errs []error
	for _, device := range devices {
		errs = append(errs, t.check("ONNX Runtime on "+device, func() (string, error) {
			options := t.Models
			options.Device = device
			return s.inModel(nets.Autoencoder, options, want)
		}))
	}
	return errors.Join(errs...)
}

// infer is the engine's output for all rows.
func (s subject) infer(e engine.Engine) (out []float32, err error) {
	data, err := e.Load(s.source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	p, err := e.Compile(s.net, data, engine.Config{Optimizer: arch.SGD, Weights: s.weights})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	rows := make([]int32, s.source.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	out = make([]float32, len(rows)*s.net.Output.Values())
	return out, p.Infer(rows, nil, out)
}

func (s subject) inModel(m *onnx.Model, o ort.Options, want []float32) (note string, err error) {
	session, err := ort.OpenModel(m, o)
	if fault.Of(err) == fault.Missing && err != nil {
		return "", skipped{err.Error()}
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	n, in := s.source.Rows(), s.net.Input
	x, y := make([]float32, n*in.Values()), make([]float32, len(want))
	for i := range n {
		s.source.Row(x[i*in.Values():], i)
	}
	shape := []int64{int64(n), int64(in.C), int64(in.H), int64(in.W)}
	if err := session.Run([]ort.Tensor{ort.Floats(x, shape...)}, []ort.Tensor{ort.Floats(y, shape...)}); err != nil {
		return "", err
	}
	far := math.Sqrt(square(y, want) / square(want, nil))
	if !(far <= tolerance[engine.Float32]) {
		return "", fmt.Errorf("the model's output is %.2g off the engine's, %.0g is allowed", far, tolerance[engine.Float32])
	}
	return fmt.Sprintf("%s, largest difference %.1g", session.Provider(), far), nil
}

// searchTwice searches a few of the built-in digits with one candidate at a time, with
// several, and by two processes that share the device, or have one each: the fronts must be
// the same to the byte.
func searchTwice(ctx context.Context, t *trials) error {
	data := filepath.Join(t.Temp, "digits.npz")
	var first []byte
	twice := t.check("a search twice", func() (_ string, err error) {
		convert := t.Moncae(ctx, "data", "convert", "mnist-mini", "--limit", "150", "--split", "train", "--image-size", "8x8", "--format", "npz", "--out", data)
		if out, err := convert.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s", ending(err, string(out)))
		}
		if first, err = t.front(ctx, data, "--jobs", "1"); err != nil {
			return "", err
		}
		return t.sameFront(ctx, first, data, "--jobs", "4")
	})
	if twice != nil {
		return twice
	}
	return t.check("a search by two processes", func() (string, error) {
		if first == nil {
			return "", skipped{"no search to hold it against"}
		}
		return t.sameFront(ctx, first, data, "--workers", "local:2")
	})
}

func (t *trials) sameFront(ctx context.Context, want []byte, data string, how ...string) (string, error) {
	got, err := t.front(ctx, data, how...)
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("the fronts of two equal searches differ")
	}
	return "the same bytes", err
}

// front is that of a small search.
func (t *trials) front(ctx context.Context, data string, how ...string) ([]byte, error) {
	run := filepath.Join(t.Temp, strings.Join(how, ""))
	cmd := t.Moncae(ctx, append([]string{"search", "--data", data, "--run", run, "--device", t.Device, "--population", "4", "--generations", "2",
		"--epochs", "1", "--finetune", "1", "--max-filters", "4", "--max-layers", "2", "--reference", "2,4", "--no-export"}, how...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s", ending(err, string(out)))
	}
	return os.ReadFile(filepath.Join(run, "front.json"))
}
