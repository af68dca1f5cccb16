package cli

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"moncae/classify"
	"moncae/internal/report"
	"moncae/internal/score"
	"moncae/internal/view"
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
			if err := a.vacant(o.out); err != nil {
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
	a.addOverwrite(f)
	f.StringVar(&o.classify, "classify", "", "`folder` that moncae classify made of the run: its table (default the tables that the run keeps)")
	f.IntVar(&o.images, "images", 10, "images in a row of the gallery")
	addDevice(f, &o.device)
	o.data.locate(f, "")
	return cmd
}

// page is a run's page as it stands.
func (a *app) page(cmd *cobra.Command, path string, o *reportOptions) (p report.Page, err error) {
	r, front, err := openFront(path, nil)
	if err != nil {
		return p, err
	}
	tables, err := tablesOf(path, o.classify)
	if err != nil {
		return p, err
	}
	var pictures view.Pictures
	if len(front.Members) > 0 {
		if pictures, err = a.look(cmd, r, front, &o.frontOptions); err != nil {
			return p, err
		}
	}
	return view.Page(r, front, pictures, view.UsedOf(r, tables))
}

// tablesOf are what classify measured: the tables that the run keeps, or the one in a
// folder that it wrote.
func tablesOf(path, folder string) ([]score.Table, error) {
	if folder == "" {
		return score.Kept(path)
	}
	t, err := score.ReadTable(filepath.Join(folder, classify.ReportFile))
	if err != nil {
		return nil, fmt.Errorf("--classify: %w", err)
	}
	return []score.Table{t}, nil
}
