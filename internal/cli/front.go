package cli

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"moncae/internal/fault"
	"moncae/internal/figure"
	"moncae/internal/run"
	"moncae/internal/view"
)

type frontOptions struct {
	json, csv     bool
	bounds        []string
	plot, gallery string
	images        int
	device        string
	data          dataFlags
}

func (a *app) newFront() *cobra.Command {
	var o frontOptions
	cmd := &cobra.Command{
		Use:   "front RUN…",
		Short: "Show a run's front: the autoencoders worth having",
		Long: `Show a run's front: the candidates that no other one beats in all objectives, with PCA
at the same number of values, the mean image and the entropy floor beside them.

All figures are of validation images, on which the members were selected.

Several runs are shown in one table and in one picture; with --json as a list.`,
		Example: `  moncae front digits
  moncae front digits-46 digits-29 --plot fronts.svg
  moncae front digits --bound 'loc<=1.9' --json
  moncae front digits --plot front.svg --gallery gallery.png`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return a.fronts(args, &o)
			}
			return a.front(cmd, args[0], &o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.bounds, "bound", nil, "leave out members that break a limit, for example 'loc<=1.9'; can be repeated")
	f.BoolVar(&o.csv, "csv", false, "print the members as CSV")
	f.StringVar(&o.plot, "plot", "", "draw loss against level of compression to this `file` (.png or .svg)")
	f.StringVar(&o.gallery, "gallery", "", "draw validation images as every member reconstructs them to this `file` (.png or .svg)")
	f.IntVar(&o.images, "images", 10, "images in a row of the gallery")
	a.addOverwrite(f)
	addDevice(f, &o.device)
	o.data.locate(f, "")
	addJSON(cmd, &o.json)
	return cmd
}

func (a *app) front(cmd *cobra.Command, path string, o *frontOptions) error {
	if err := a.vacant(o.plot, o.gallery); err != nil {
		return err
	}
	r, front, err := openFront(path, o.bounds)
	if err != nil {
		return err
	}
	if o.plot != "" {
		if err := a.draw(o.plot, view.FrontFigure(r, front)); err != nil {
			return err
		}
	}
	if o.gallery != "" {
		if _, err := figure.Format(o.gallery); err != nil {
			return err
		}
		pictures, err := a.look(cmd, r, front, o)
		if err != nil {
			return err
		}
		if err := a.draw(o.gallery, pictures.Gallery()); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return a.printJSON(measureLatency(path, front, "").beside(front))
	case o.csv:
		return a.printCSV(front)
	}
	a.unfinished(r)
	return a.printFront(path, front, measureLatency(path, front, ""))
}

func (a *app) unfinished(r *run.Run) {
	if !r.Finished {
		fmt.Fprintf(a.Err, "the search isn't finished: generation %d of %d; `%s` goes on\n", len(r.Generations), r.Config.Generations, goOnWith(r.Path))
	}
}

func openFront(path string, words []string) (*run.Run, run.Front, error) {
	r, err := run.Open(path)
	if err != nil {
		return nil, run.Front{}, err
	}
	if r.Front == nil {
		return nil, run.Front{}, fault.Usagef("%s: no generation has finished yet, so there is no front; `%s` goes on", path, goOnWith(path))
	}
	bounds, err := parseBounds(words)
	if err != nil {
		return nil, run.Front{}, err
	}
	front, err := r.Front.Bounded(bounds)
	return r, front, err
}

func (a *app) printFront(path string, f run.Front, l latencies) error {
	t := table{left: 2, rows: make([][]string, len(f.Members))}
	for _, c := range l.beforePCA(view.Columns) {
		t.head, t.dispensable = append(t.head, c.Head), append(t.dispensable, c.Dispensable)
		for i, m := range f.Members {
			t.rows[i] = append(t.rows[i], c.Cell(m, f))
		}
	}
	t.fit(a.Columns)
	if err := t.print(a.Out); err != nil {
		return err
	}
	took := ""
	if f.Seconds != nil {
		took = fmt.Sprintf(", %.0f s", *f.Seconds)
	}
	forecasts := view.Forecasts(f)
	if forecasts != "" {
		forecasts = "forecasts before a training: " + forecasts + "\n"
	}
	_, err := fmt.Fprintf(a.Out, `%s; hypervolume %.4f; seed %d%s
mean image: BCE %.4f, MSE %.5f; entropy floor: BCE %.4f (excess = BCE − floor)
%sMeasured on validation images, on which the members were selected.
%s`, view.Count(f), f.Hypervolume, f.Seed, took, f.MeanImage.BCE, f.MeanImage.MSE, f.Floor.BCE, forecasts, verdict(path, f))
	return err
}

// judged is a front with its verdict.
func judged(f run.Front) run.Front {
	v := f.Judge()
	f.Verdict = &v
	return f
}

func verdict(path string, f run.Front) string {
	lines := view.Verdict(path, f)
	if len(lines) == 0 {
		return ""
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

func (a *app) printCSV(f run.Front) error {
	rows := [][]string{csvHead}
	for _, m := range f.Members {
		rows = append(rows, csvRow(m))
	}
	return csv.NewWriter(a.Out).WriteAll(rows)
}

var csvHead = []string{"id", "channels", "height", "width", "values", "loc", "ratio", "bce", "excess_bce", "mse", "psnr", "ssim", "params", "flops", "epochs", "pca_bce", "pca_mse", "pca_psnr", "pca_ssim"}

func csvRow(m run.Member) []string {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	row := []string{m.ID, strconv.Itoa(m.Latent.C), strconv.Itoa(m.Latent.H), strconv.Itoa(m.Latent.W), strconv.Itoa(m.Values), exact(m.LOC), exact(m.Ratio),
		exact(m.BCE), exact(m.ExcessBCE), exact(m.MSE), exact(m.PSNR), exact(m.SSIM), strconv.Itoa(m.Params), strconv.FormatInt(m.FLOPs, 10), strconv.Itoa(m.Epochs)}
	if p := m.PCA; p != nil {
		return append(row, exact(p.BCE), exact(p.MSE), exact(p.PSNR), exact(p.SSIM))
	}
	return append(row, "", "", "", "")
}
