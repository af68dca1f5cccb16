package export

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	onnxgo "github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/x/gorgonnx"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/onnx"
	"moncae/internal/run"
)

// onnxGoImages is the most images that onnx-go runs: its graphs are of one batch
// size, and slow.
const onnxGoImages = 4

// onnxGoOps are the operators that onnx-go has of those that Build writes, tried
// one by one.
var onnxGoOps = map[string]bool{
	"Conv": true, "BatchNormalization": true, "MaxPool": true, "Relu": true, "Sigmoid": true, "LeakyRelu": true,
	"Mul": true, "Add": true, "Flatten": true, "Gemm": true, "Reshape": true, "Identity": true,
}

// onnxGoLacks says why onnx-go can't run a model, "" where it can. It must be
// asked before: most of these give wrong numbers there and no error.
func onnxGoLacks(m *onnx.Model) string {
	readers, madeBy := map[string]int{}, map[string]string{}
	for _, n := range m.Nodes() {
		for _, in := range n.Inputs {
			readers[in]++
		}
		madeBy[n.Outputs[0]] = n.Op
	}
	for _, n := range m.Nodes() {
		if !onnxGoOps[n.Op] {
			return "onnx-go has no operator " + n.Op
		}
		if p := n.Ints["pads"]; len(p) == 4 && (p[0] != p[1] || p[0] != p[2] || p[1] != p[3]) {
			return fmt.Sprintf("onnx-go pads all sides alike, and %s has the pads %v", n.Op, p)
		}
		if n.Op != "BatchNormalization" && n.Op != "LeakyRelu" {
			continue
		}
		if readers[n.Inputs[0]] > 1 {
			return fmt.Sprintf("onnx-go's %s overwrites its input, which something else reads too", n.Op)
		}
		if madeBy[n.Inputs[0]] == "Reshape" {
			return fmt.Sprintf("onnx-go's %s does not take what Reshape gives", n.Op)
		}
	}
	return ""
}

// certifyOnnxGo runs an encoder through onnx-go, image by image.
func certifyOnnxGo(m *onnx.Model, a arch.Arch, s run.Forward, images int, tolerance float64) (Check, error) {
	c := Check{Model: "encoder", Runtime: strings.TrimSpace("onnx-go " + onnxGoVersion())}
	if c.Skipped = onnxGoLacks(m); c.Skipped != "" {
		return c, nil
	}
	images = min(images, onnxGoImages)
	got, err := runOnnxGo(m, a.Input, s.Images, images)
	if err != nil {
		c.Skipped = "onnx-go stopped: " + err.Error()
		return c, nil
	}
	compared, err := compare(got, s.Latents, images, tolerance)
	compared.Model, compared.Runtime = c.Model, c.Runtime
	return compared, err
}

// runOnnxGo gives the latents of the first images. Each has a graph of its own:
// some of onnx-go's operators change their constants when they run.
func runOnnxGo(m *onnx.Model, in arch.Shape, x []float32, images int) ([]float32, error) {
	var latents []float32
	model := m.Bytes()
	for i := range images {
		latent, err := runOnnxGoOnce(model, in, x[i*in.Values():(i+1)*in.Values()])
		if err != nil {
			return nil, err
		}
		latents = append(latents, latent...)
	}
	return latents, nil
}

// runOnnxGoOnce turns a panic inside onnx-go into an error: it is the checker
// that broke, not the model.
func runOnnxGoOnce(bytes []byte, in arch.Shape, image []float32) (latent []float32, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	backend := gorgonnx.NewGraph()
	model := onnxgo.NewModel(backend)
	if err := model.UnmarshalBinary(bytes); err != nil {
		return nil, err
	}
	x := tensor.New(tensor.WithShape(1, in.C, in.H, in.W), tensor.WithBacking(slices.Clone(image)))
	if err := model.SetInput(0, x); err != nil {
		return nil, err
	}
	if err := backend.Run(); err != nil {
		return nil, err
	}
	outs, err := model.GetOutputTensors()
	if err != nil {
		return nil, err
	}
	latent, ok := outs[0].Data().([]float32)
	if !ok {
		return nil, errors.New("the output is not float32")
	}
	return latent, nil
}

// onnxGoVersion is the version that was linked, "" where the build doesn't say.
func onnxGoVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/owulveryck/onnx-go" {
				return d.Version
			}
		}
	}
	return ""
}
