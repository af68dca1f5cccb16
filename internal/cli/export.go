package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/export"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/shell"
)

// addLibrary adds the flag that names ONNX Runtime's library.
func addLibrary(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "onnxruntime", "", "ONNX Runtime's library, a `file` or its folder (default: looked for, see moncae doctor)")
}

type exportOptions struct {
	candidates                  []string
	out, dtype, device, library string
	data                        dataFlags
	json                        bool
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
	o.add(a, cmd.Flags())
	addJSON(cmd, &o.json)
	return cmd
}

func (o *exportOptions) add(a *app, f *pflag.FlagSet) {
	f.StringArrayVarP(&o.candidates, "candidate", "c", []string{"all"}, "which: an `ID`, best-loss, knee, all (the front) or population; can be repeated")
	f.StringVarP(&o.out, "out", "o", "", "`folder` that gets a folder for each (default RUN/export, whose exports are renewed)")
	a.addOverwrite(f)
	f.Var(choice{&o.dtype, []string{"float32", "float16"}}, "dtype", "of the parameters and of what is computed (default float32)")
	addDevice(f, &o.device)
	addLibrary(f, &o.library)
	o.data.locate(f, "")
}

// resolve is what the flags ask for of the run in the folder path.
func (o *exportOptions) resolve(a *app, path string) (export.Options, error) {
	e := export.Options{Out: o.out, Overwrite: a.overwrite, DType: o.dtype, ORT: ort.Options{Library: o.library, Device: "cpu"}, FS: a.FS}
	if e.Out != "" {
		return e, nil
	}
	out, err := ownExports(path)
	e.Out, e.Overwrite = out, true // the run's own follow its weights
	return e, err
}

func (a *app) export(cmd *cobra.Command, path string, o *exportOptions) (err error) {
	r, err := run.Open(path)
	if err != nil {
		return err
	}
	ids, err := r.Select(o.candidates...)
	if err != nil {
		return err
	}
	if _, _, err := ort.Load(o.library); err != nil { // before the data are read
		return err
	}
	set, err := r.Images(cmd.Context(), o.data.name, o.data.options)
	if err != nil {
		return err
	}
	eng, err := a.openEngine(o.device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	options, err := o.resolve(a, path)
	if err != nil {
		return err
	}
	results, err := export.Export(cmd.Context(), r, ids, set, eng, options)
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(results)
	}
	return a.printExports(results)
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

// exportFront exports a search's front into the run.
func (a *app) exportFront(ctx context.Context, o *searchOptions, s *study, front run.Front) error {
	if len(front.Members) == 0 {
		return nil
	}
	r, err := run.Open(o.run)
	if err != nil {
		return err
	}
	ids, err := r.Select("all")
	if err != nil {
		return err
	}
	return a.exportInto(ctx, r, ids, s.set, s.trainer, o.library)
}

// exportInto exports candidates into the run's own folder. Where ONNX Runtime is
// missing, the run is whole without it, and a line says how to export later.
func (a *app) exportInto(ctx context.Context, r *run.Run, ids []string, set *dataset.Set, on *trainer, library string) error {
	out, err := ownExports(r.Path)
	if err != nil {
		return err
	}
	eng, err := on.own()
	if err != nil {
		return err
	}
	_, err = export.Export(ctx, r, ids, set, eng, export.Options{Out: out, Overwrite: true, ORT: ort.Options{Library: library, Device: "cpu"}, FS: a.FS})
	switch {
	case err == nil:
		fmt.Fprintf(a.Err, "exported to %s: %s\n", out, strings.Join(ids, ", "))
	case fault.Of(err) == fault.Missing:
		fmt.Fprintf(a.Err, "moncae: %s not exported: %s; `%s` makes it later\n", strings.Join(ids, ", "), fault.Text(err), shell.Line("moncae", "export", r.Path))
		return nil
	}
	return err
}

// ownExports is the run's own folder for exports; a link there, which may be a
// stranger's, is refused.
func ownExports(run string) (string, error) {
	out := filepath.Join(run, rundir.ExportDir)
	return out, durable.NoLink(out)
}
