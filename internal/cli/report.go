package cli

import (
	"bytes"
	"fmt"
	"moncae/internal/run"
	"strconv"

	"github.com/spf13/cobra"

	"moncae/internal/report"
)

type reportOptions struct {
	frontOptions
	out      string
	classify string
}

func (a *app) newReport() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Write a run as one HTML page",
		Long:  "Write a run as one HTML page that needs nothing else: front, figures, reconstructions,\nwhat classify measured, failures, configuration.",
		Example: `  moncae report digits --out digits.html
  moncae classify digits --head mlp --out digits-heads && moncae report digits --out digits.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(map[string]string{"out": o.out}); err != nil {
				return err
			}
			page, err := a.page(cmd, args[0], &o)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := page.Write(&b); err != nil {
				return err
			}
			if err := a.output(o.out, b.Bytes()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, o.out)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "", "HTML `file` to write (required)")
	f.StringVar(&o.classify, "classify", "", "`folder` that moncae classify made of the run: its table (default the tables that the run keeps)")
	f.IntVar(&o.images, "images", 10, "images in a row of the gallery")
	addDevice(f, &o.device)
	o.data.locate(f, "")
	return cmd
}

func (a *app) page(cmd *cobra.Command, path string, o *reportOptions) (report.Page, error) {
	r, front, err := openFront(path, nil)
	if err != nil {
		return report.Page{}, err
	}
	p := report.Page{
		Title:    "Autoencoders for " + front.Data,
		Subtitle: fmt.Sprintf("run %s: %d on the front of %d trainings (%d failed), hypervolume %.4f", front.Run, len(front.Members), front.Evaluations, front.Failed, front.Hypervolume),
		Tables:   []report.Table{membersTable(front)},
		Facts:    facts(r, front),
	}
	var b bytes.Buffer
	if err := frontFigure(r, front).Draw(&b, "svg"); err != nil {
		return p, err
	}
	p.Front = bytes.Clone(b.Bytes())
	if len(front.Members) > 0 {
		gallery, err := a.gallery(cmd, r, front, &o.frontOptions)
		if err != nil {
			return p, err
		}
		b.Reset()
		if err := gallery.Draw(&b, "png"); err != nil {
			return p, err
		}
		p.Gallery = b.Bytes()
	}
	used, err := useTables(path, o.classify, r)
	if err != nil {
		return p, err
	}
	p.Tables = append(p.Tables, used...)
	p.Tables = append(p.Tables, generationsTable(r))
	for _, c := range r.Candidates {
		if c.Failure != "" {
			p.Failures = append(p.Failures, [2]string{c.ID, c.Failure})
		}
	}
	return p, nil
}

func membersTable(f run.Front) report.Table {
	t := report.Table{
		Title: "Members",
		Rows:  make([][]string, len(f.Members)),
		Notes: []string{
			"Measured on validation images, on which the members were selected. PCA has the same number of values.",
			fmt.Sprintf("Mean image: BCE %.4f, MSE %.5f. Entropy floor: BCE %.4f, which no reconstruction can be below; excess is BCE over it.", f.MeanImage.BCE, f.MeanImage.MSE, f.Floor.BCE),
		},
	}
	for _, c := range frontColumns {
		if c.head == "│" {
			continue
		}
		t.Head = append(t.Head, c.head)
		for i, m := range f.Members {
			t.Rows[i] = append(t.Rows[i], c.cell(m, f))
		}
	}
	return t
}

func generationsTable(r *run.Run) report.Table {
	t := report.Table{Title: "Generations", Head: []string{"generation", "hypervolume", "seconds", "training", "validating", "idle"},
		Notes: []string{"Training, validating and idle are seconds of all workers together."}}
	for _, g := range r.Generations {
		t.Rows = append(t.Rows, []string{strconv.Itoa(g.Generation + 1), fixed(g.Hypervolume, 4), fixed(g.Times.Wall, 1), fixed(g.Times.Train, 1), fixed(g.Times.Validate, 1), fixed(g.Times.Idle, 1)})
	}
	return t
}

func finetuningOf(f run.Finetune) string {
	switch {
	case f.Epochs == 0:
		return "none"
	case f.Trial == 0:
		return fmt.Sprintf("%s (%s)", epochs(f.Epochs), f.Scope)
	}
	return fmt.Sprintf("%s after a trial of %d (%s)", epochs(f.Epochs), f.Trial, f.Scope)
}

func facts(r *run.Run, f run.Front) [][2]string {
	m, c := r.Manifest, r.Config
	state := "finished"
	if !r.Finished {
		state = fmt.Sprintf("not finished: generation %d of %d", len(r.Generations), c.Generations)
	}
	return [][2]string{
		{"run", m.Run}, {"state", state}, {"moncae", m.Moncae}, {"seed", strconv.FormatUint(m.Seed, 10)},
		{"data", fmt.Sprintf("%s, %d training images of %v, %d of them for validation", m.Data.Name, m.Data.TrainRows, m.Data.Shape, len(m.ValidationIDs))},
		{"fingerprint", m.Data.Fingerprint},
		{"reference", reference(f.Objectives, f.Reference)},
		{"search", fmt.Sprintf("%s, %s space of at most %d blocks and %d filters, population %d, %d generations", c.Algorithm, c.Space.Name, c.Space.MaxBlocks, c.Space.MaxFilters, c.Population, c.Generations)},
		{"training", fmt.Sprintf("at most %s, patience %d, batch %d, %s; finetuning %s", epochs(c.Epochs), c.Patience, c.Batch, c.Loss, finetuningOf(c.Finetune))},
		{"time", fixed(r.Seconds, 0) + " s"}, {"openings of test data", strconv.Itoa(r.TestOpenings)},
	}
}
