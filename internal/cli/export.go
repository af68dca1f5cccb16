package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/export"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/search"
)

// addLibrary adds the flag that names ONNX Runtime's library.
func addLibrary(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "onnxruntime", "", "ONNX Runtime's library, a `file` or its folder (default: looked for, see moncae doctor)")
}

type exportOptions struct {
	candidate, out, dtype, device, library string
	data                                   dataFlags
	json                                   bool
}

func (a *app) newExport() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export RUN",
		Short: "Write candidates as ONNX models, proven against the trainer",
		Long: `Write candidates as ONNX: a folder each with encoder.onnx, decoder.onnx,
autoencoder.onnx, arch.json, a model card and a certificate.

Each model is run through ONNX Runtime on validation images and held against the
trainer's own forward pass before anything is written.`,
		Example: `  moncae export digits --candidate knee --out models
  moncae export digits --out models --dtype float16`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.export(cmd, args[0], &o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.candidate, "candidate", "c", "all", "which: an `ID`, best-loss, knee, all (the front) or population")
	f.StringVarP(&o.out, "out", "o", "", "`folder` that gets a folder for each (default RUN/export)")
	f.Var(choice{&o.dtype, []string{"float32", "float16"}}, "dtype", "of the parameters and of what is computed (default float32)")
	addDevice(f, &o.device)
	addLibrary(f, &o.library)
	o.data.locate(f, "")
	addJSON(cmd, &o.json)
	return cmd
}

func (a *app) export(cmd *cobra.Command, path string, o *exportOptions) (err error) {
	run, err := search.Open(path)
	if err != nil {
		return err
	}
	ids, err := run.Select(o.candidate)
	if err != nil {
		return err
	}
	if _, _, err := ort.Load(o.library); err != nil { // before the data are read
		return err
	}
	set, err := loadRunData(cmd.Context(), path, run.Manifest, cmd.Flags(), &o.data)
	if err != nil {
		return err
	}
	eng, err := a.openEngine(o.device)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, eng.Close()) }()
	if o.out == "" {
		o.out = filepath.Join(path, "export")
	}
	results, err := a.exportCandidates(cmd.Context(), run, set, eng, ids, export.Options{Out: o.out, DType: o.dtype, ORT: ort.Options{Library: o.library, Device: "cpu"}, FS: a.FS})
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(results)
	}
	return a.printExports(results)
}

func (a *app) exportCandidates(ctx context.Context, run *search.Run, set *dataset.Set, eng engine.Engine, ids []string, o export.Options) (results []export.Result, err error) {
	data, err := eng.Load(engine.Source{Shape: set.Shape, Images: set.Images})
	if err != nil {
		return nil, err
	}
	defer func() { err = firstError(err, data.Close()) }()
	rows := validationRows(run.Manifest, set)
	rows = rows[:min(len(rows), export.MaxSampleImages)]
	var candidates []export.Candidate
	for _, id := range ids {
		c, err := exportCandidate(run, id)
		if err != nil {
			return nil, err
		}
		c.Sample = func() (export.Sample, error) {
			f, err := reconstruct(eng, data, set, run, id, rows)
			return export.Sample{Images: f.images, Latents: f.latents, Outputs: f.outputs}, err
		}
		candidates = append(candidates, c)
	}
	return export.Export(ctx, candidates, o)
}

// exportCandidate is what an export says of a candidate.
func exportCandidate(run *search.Run, id string) (export.Candidate, error) {
	network, weights, err := run.Network(id)
	if err != nil {
		return export.Candidate{}, err
	}
	c, err := run.Candidate(id)
	if err != nil {
		return export.Candidate{}, err
	}
	r, m := c.Best(), run.Manifest
	e := export.Candidate{
		ID: id, Arch: network.Arch, Recipe: network.Recipe, Weights: weights,
		Run: m.Run, DataName: m.Data.Name, Fingerprint: m.Data.Fingerprint, Preprocess: m.Preprocess, Loss: string(run.Config.Loss),
		Metrics: map[string]float64{
			"bce": r.Figures.BCE, "mse": r.Figures.MSE, "psnr": r.Figures.PSNR, "ssim": r.Figures.SSIM,
			"values": float64(c.Latent.Values()), "params": float64(c.Params), "flops": float64(c.FLOPs), "epochs": float64(r.Epochs),
		},
		Objectives: map[string]float64{}, Baselines: map[string]map[string]float64{},
	}
	for _, name := range m.Objectives {
		e.Objectives[name] = r.Values[name]
	}
	if run.Front == nil {
		return e, nil
	}
	e.Metrics["excess_bce"] = r.Figures.BCE - run.Front.Floor.BCE
	e.Baselines["mean_image"] = map[string]float64{"bce": run.Front.MeanImage.BCE, "mse": run.Front.MeanImage.MSE}
	e.Members = len(run.Front.Members)
	for i, member := range run.Front.Members {
		if member.ID != id {
			continue
		}
		e.Place = i + 1
		if p := member.PCA; p != nil {
			e.Baselines["pca"] = map[string]float64{"bce": p.BCE, "mse": p.MSE, "psnr": p.PSNR}
		}
	}
	return e, nil
}

func (a *app) printExports(results []export.Result) error {
	t := table{head: []string{"id", "model", "checked by", "images", "difference", "allowed"}, left: 3}
	for _, r := range results {
		for _, c := range r.Checks {
			if c.Skipped != "" {
				t.add(r.ID, c.Model, c.Runtime+": not checked, "+c.Skipped, "", "", "")
				continue
			}
			t.add(r.ID, c.Model, c.Runtime, fmt.Sprint(c.Images), fmt.Sprintf("%.1e", c.Difference), fmt.Sprintf("%.1e", c.Tolerance))
		}
	}
	if err := t.print(a.Out); err != nil {
		return err
	}
	for _, r := range results {
		if _, err := fmt.Fprintln(a.Out, r.Dir); err != nil {
			return err
		}
	}
	return nil
}

// exportFront exports a search's front into the run. Where ONNX Runtime is
// missing, the run is whole without it, and a line says how to export later.
func (a *app) exportFront(ctx context.Context, o *searchOptions, s *study, front search.Front) error {
	if len(front.Members) == 0 {
		fmt.Fprintln(a.Err, "moncae: the front is empty: no candidate is better than the reference; nothing to export")
		return nil
	}
	later := fmt.Sprintf("`moncae export %s` makes it later", o.run)
	run, err := search.Open(o.run)
	if err != nil {
		return err
	}
	ids, err := run.Select("all")
	if err != nil {
		return err
	}
	out := filepath.Join(o.run, "export")
	_, err = a.exportCandidates(ctx, run, s.set, s.engine, ids, export.Options{Out: out, ORT: ort.Options{Library: o.library, Device: "cpu"}, FS: a.FS})
	switch {
	case err == nil:
		fmt.Fprintf(a.Err, "exported to %s: %s\n", out, strings.Join(ids, ", "))
	case fault.Of(err) == fault.Missing:
		fmt.Fprintf(a.Err, "moncae: the front is not exported: %s; %s\n", oneLine(err), later)
		return nil
	}
	return err
}
