package export

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"moncae/internal/arch"
	"moncae/internal/certificate"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
)

// candidate is a trained network and what is known about it.
type candidate struct {
	run.Trained // its ID is the folder's name

	Run         string // the run's own id
	DataName    string // what a person calls the data set
	Fingerprint string // of the data
	// Preprocess is how images become the network's input, JSON as in run.json.
	Preprocess json.RawMessage
	Loss       string  // what was minimised, a graph.Loss
	Denoise    float64 // run.Config's
	// Metrics are means over the validation images, and the network's sizes, by the
	// names of front --json. Values that are not finite are left out.
	Metrics map[string]float64
	// Baselines are what others reach on the same images, by name (pca, mean_image)
	// and metric.
	Baselines map[string]map[string]float64
	// Objectives are what the search minimised.
	Objectives map[string]float64
	// Place of Members on the front, 1 the smallest latent; 0 is not on the front.
	Place, Members int
	// sample runs some validation images, at most maxSampleImages count, through the
	// trainer.
	sample func() (run.Forward, error)
}

// Options say how to export.
type Options struct {
	Out       string // folder that gets a folder for each candidate
	Overwrite bool   // earlier exports at the same places
	DType     string // float32 ("" too) or float16
	ORT       ort.Options
	FS        durable.FS
}

// Result is one exported candidate.
type Result struct {
	ID     string  `json:"id"`
	Dir    string  `json:"dir"`
	Files  []File  `json:"files"`
	Checks []Check `json:"checks"`
	// Quality is what the reconstruction of the certificate's images has lost.
	Quality Quality `json:"quality"`
}

// File is one model of an export.
type File struct {
	Name  string `json:"name"`
	Model string `json:"model"` // encoder, decoder, autoencoder
	Bytes int    `json:"bytes"`
	Hash  string `json:"hash"` // SHA-256 of the serialised GraphProto
}

func exportAll(ctx context.Context, candidates []candidate, o Options) ([]Result, error) {
	dtype, err := parseDType(o.DType)
	if err != nil {
		return nil, err
	}
	if _, _, err := ort.Load(o.ORT.Library); err != nil {
		return nil, err
	}
	release, err := openFolder(o.FS, o.Out)
	if err != nil {
		return nil, err
	}
	defer release()
	var results []Result
	for _, c := range candidates {
		if err := ctx.Err(); err != nil {
			return results, err
		}
		r, err := c.export(o, dtype)
		if err != nil {
			return results, fmt.Errorf("export of %s: %w", c.ID, err)
		}
		results = append(results, r)
	}
	return results, nil
}

func parseDType(s string) (onnx.Type, error) {
	switch s {
	case "", "float32":
		return onnx.Float, nil
	case "float16":
		return onnx.Float16, nil
	}
	return 0, fault.Usagef("dtype %q: float32 or float16 is wanted", s)
}

func (c candidate) export(o Options, dtype onnx.Type) (Result, error) {
	if c.ID == "" || c.ID == "." || filepath.Base(c.ID) != c.ID || !filepath.IsLocal(c.ID) {
		return Result{}, fault.Usagef("id %q can't be a folder's name", c.ID)
	}
	target := filepath.Join(o.Out, c.ID)
	if err := replaceable(target, o.Overwrite); err != nil {
		return Result{}, err
	}
	nets, err := onnxnet.Build(c.Arch, c.Weights, dtype)
	if err != nil {
		return Result{}, err
	}
	sample, err := c.sample()
	if err != nil {
		return Result{}, err
	}
	checks, quality, err := certify(nets, c.Arch, dtype, sample, o.ORT)
	if err != nil {
		return Result{}, fmt.Errorf("%w; nothing was written", err)
	}
	r := Result{ID: c.ID, Dir: target, Checks: checks, Quality: quality}
	contents, err := c.contents(nets, dtype, &r)
	if err != nil {
		return Result{}, err
	}
	return r, writeDir(o.FS, target, contents)
}

// contents makes all files of the folder and fills in the result's models.
func (c candidate) contents(nets onnxnet.Networks, dtype onnx.Type, r *Result) ([]content, error) {
	preprocess, err := prepared(c.Preprocess)
	if err != nil {
		return nil, err
	}
	c.Preprocess = preprocess
	if err := c.annotate(nets); err != nil {
		return nil, err
	}
	var files []content
	for _, m := range []struct {
		name  string
		model *onnx.Model
	}{{"encoder", nets.Encoder}, {"decoder", nets.Decoder}, {"autoencoder", nets.Autoencoder}} {
		f := content{m.name + ".onnx", m.model.Bytes()}
		files = append(files, f)
		r.Files = append(r.Files, File{f.name, m.name, len(f.bytes), m.model.Hash()})
	}
	network, err := json.MarshalIndent(archFile{c.Arch, c.Recipe}, "", " ")
	if err != nil {
		return nil, err
	}
	card, err := c.card(dtype, *r)
	if err != nil {
		return nil, err
	}
	files = append(files, content{"arch.json", append(network, '\n')}, content{"README.md", card})
	about := c.about(dtype, *r)
	for _, f := range files {
		about.SHA256.Add(f.name, f.bytes)
	}
	sealed, err := certificate.Seal(about)
	if err != nil {
		return nil, err
	}
	return append(files, content{certificate.Name, sealed}), nil
}

// archFile is arch.json.
type archFile struct {
	Arch   arch.Arch   `json:"arch"`
	Recipe arch.Recipe `json:"recipe"`
}

// about is export.json.
type about struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	ID      string  `json:"id"`
	Run     string  `json:"run"`
	DType   string  `json:"dtype"`
	Opset   int     `json:"opset"`
	Files   []File  `json:"files"`
	Checks  []Check `json:"checks"`
	Quality Quality `json:"quality"`
	// SHA256 is of all files beside this one.
	SHA256 certificate.Hashes `json:"sha256"`
}

func (c candidate) about(dtype onnx.Type, r Result) about {
	return about{certificate.Format, 1, c.ID, c.Run, dtype.String(), onnx.Opset, r.Files, r.Checks, r.Quality, certificate.Hashes{}}
}
