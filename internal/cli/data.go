package cli

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/imagefile"
)

func (a *app) newData() *cobra.Command {
	cmd := &cobra.Command{Use: "data", Short: "List, fetch, describe and convert data sets", Example: "  moncae data list\n  moncae data info mnist-mini", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.newDataList(), a.newDataGet(), a.newDataInfo(), a.newDataConvert())
	return cmd
}

func (a *app) newDataList() *cobra.Command {
	var d dataFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the data sets that can be asked for by name, and where they lie",
		Example: "  moncae data list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			type row struct {
				dataset.Known
				Path  string `json:"path"`
				Found bool   `json:"found"`
			}
			var rows []row
			for _, k := range dataset.Names() {
				path, err := dataset.Locate(k.Name, d.options.DataDir)
				rows = append(rows, row{k, path, err == nil})
			}
			if asJSON {
				return a.printJSON(rows)
			}
			t := table{head: []string{"name", "images", "where"}, left: 3}
			for _, r := range rows {
				where := r.Path
				switch {
				case !r.Found:
					where = "not here: moncae data get " + r.Name
				case r.Path == "":
					where = "built in"
				}
				t.add(r.Name, r.Title, where)
			}
			return t.print(a.Out)
		},
	}
	cmd.Flags().StringVar(&d.options.DataDir, "data-dir", "", "`folder` to look in first")
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) newDataInfo() *cobra.Command {
	var d dataFlags
	var asJSON bool
	var sheet string
	cmd := &cobra.Command{
		Use:   "info [DATA]",
		Short: "Describe a data set: shapes, classes, pixels, the entropy floor",
		Long: `Describe a data set: shapes, splits, classes, pixel values, and the entropy floor: no
reconstruction has a smaller binary cross-entropy (nats, mean over all values).`,
		Example:           "  moncae data info mnist-mini --png sheet.png",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(named(nil), cobra.ShellCompDirectiveDefault),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				d.name = args[0]
			}
			if err := d.validate(); err != nil {
				return err
			}
			if err := a.vacant(sheet); err != nil {
				return err
			}
			set, err := dataset.Load(cmd.Context(), d.name, d.options)
			if err != nil {
				return err
			}
			if sheet != "" {
				if err := a.writeSheet(sheet, set); err != nil {
					return err
				}
			}
			return a.printInfo(set, asJSON)
		},
	}
	d.locate(cmd.Flags(), dataset.Default)
	d.prepare(cmd.Flags())
	addSplit(cmd.Flags(), &d.options.Split)
	cmd.Flags().StringVar(&sheet, "png", "", "write a contact sheet, ten images a class, to this `file`")
	a.addOverwrite(cmd.Flags())
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printInfo(set *dataset.Set, asJSON bool) error {
	stats := dataset.StatsOf(set, nil)
	info := set.Info
	info.Fingerprint = dataset.Fingerprint(set)
	if asJSON {
		return a.printJSON(struct {
			dataset.Info
			Stats *dataset.Stats `json:"stats"`
		}{info, stats})
	}
	a.skipped(set.Skipped)
	classes := "none: the images have no labels"
	if set.Classes != nil {
		classes = fmt.Sprintf("%d: %s", len(set.Classes), fault.Name(strings.Join(set.Classes, ", ")))
	}
	lines := [][2]string{
		{"data", fault.Name(info.Name)}, {"path", fault.Name(info.Path)}, {"format", info.Format}, {"image", set.Shape.String() + " (C×H×W)"},
		{"split", fmt.Sprintf("%s, %d images, %s in %s of files", info.Split, set.Rows(), humanBytes(int64(len(set.Images))), humanBytes(info.SourceBytes))},
		{"splits", splitList(info)}, {"classes", classes},
		{"values", fmt.Sprintf("mean %.4f, standard deviation %.4f", stats.MeanValue, stats.Deviation)},
		{"", histogram(stats.Histogram)},
		{"BCE floor", fmt.Sprintf("%.4f nats a value: no reconstruction can be below", stats.Floor)},
		{"fingerprint", info.Fingerprint},
	}
	for _, l := range lines {
		if l[1] != "" {
			if _, err := fmt.Fprintf(a.Out, "%-12s %s\n", l[0], l[1]); err != nil {
				return err
			}
		}
	}
	for _, l := range info.LeftOut {
		fmt.Fprintf(a.Out, "%-12s %s\n", "left out", leftOut(l))
	}
	for _, n := range info.Notes {
		fmt.Fprintf(a.Out, "%-12s %s\n", "note", fault.Name(n))
	}
	return nil
}

// histogram draws 256 counts in 32 columns: to scale, or on a logarithmic scale
// where all but a few would be flat.
func histogram(counts [256]int64) string {
	bins := make([]int64, 32)
	for v, n := range counts {
		bins[v/8] += n
	}
	order := slices.Sorted(slices.Values(bins))
	share := func(n int64) float64 { return float64(n) / float64(max(1, order[31])) }
	scale := ""
	if share(order[16]) < 0.1 {
		scale = " (log scale)"
		share = func(n int64) float64 { return math.Log1p(float64(n)) / math.Log1p(float64(order[31])) }
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, n := range bins {
		bar := ' '
		if n > 0 {
			bar = bars[int(float64(len(bars)-1)*share(n)+0.5)]
		}
		b.WriteRune(bar)
	}
	return "0 " + b.String() + " 255" + scale
}

func (a *app) writeSheet(path string, set *dataset.Set) error {
	if !strings.EqualFold(filepath.Ext(path), ".png") {
		return fault.Usagef("--png %s: the contact sheet is a .png", path)
	}
	rows := 10
	if n := len(set.Classes); n > 0 {
		rows = min(n, 20)
	}
	var b bytes.Buffer
	if err := imagefile.Encode(&b, dataset.ContactSheet(set, rows, 10)); err != nil {
		return err
	}
	return a.output(path, b.Bytes())
}
