package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"moncae/internal/dataset"
	"moncae/internal/dataset/convert"
	"moncae/internal/dataset/fetch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

func (a *app) newDataGet() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Download a data set from its public place",
		Long: `Download a data set into the user's cache (or --data-dir), with resume and its
published checksums. A download that broke off goes on when called again.`,
		Example:           "  moncae data get fashion-mnist",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(named(downloadable), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			set, ok := fetch.Lookup(name)
			if !ok {
				return fault.Usagef("%s can't be downloaded: see `moncae data list` for the names", name)
			}
			if dir == "" {
				cache, err := dataset.CacheDir()
				if err != nil {
					return err
				}
				dir = cache
			}
			to := filepath.Join(dir, name)
			watch := &byteProgress{app: a}
			if err := fetch.Get(cmd.Context(), set, to, fetch.Options{Progress: watch.observe, FS: a.FS, Plain: a.notEncrypted()}); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.Out, to)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "data-dir", "", "`folder` that gets a folder for the set (default the cache)")
	return cmd
}

// notEncrypted says once of each mirror what vouches for its files.
func (a *app) notEncrypted() func(mirror string) {
	last := ""
	return func(mirror string) {
		if mirror != last {
			fmt.Fprintf(a.Err, "moncae: %s has no https; the published SHA-256 vouches for what comes\n", mirror)
		}
		last = mirror
	}
}

func downloadable(name string) bool {
	_, ok := fetch.Lookup(name)
	return ok
}

// byteProgress shows a download.
type byteProgress struct {
	*app
	bar  *progressbar.ProgressBar
	file string
}

func (p *byteProgress) observe(file string, have, all int64) {
	if p.file != file {
		p.file = file
		if p.Terminal {
			p.bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(p.Err), progressbar.OptionShowBytes(true), progressbar.OptionSetDescription(file), progressbar.OptionSetWidth(25))
		} else {
			fmt.Fprintln(p.Err, file)
		}
	}
	if p.bar != nil {
		quietly(p.bar.Set64(have))
		if have == all {
			fmt.Fprintln(p.Err)
		}
	}
}

func (a *app) newDataConvert() *cobra.Command {
	var d dataFlags
	var format, out string
	cmd := &cobra.Command{
		Use:     "convert DATA --format FORMAT --out PATH",
		Short:   "Write a data set in another format",
		Long:    "Write a data set as IDX files, .npz, a folder of PNG images, or Parquet (as Hugging Face lays it out). Pixels and labels survive exactly.",
		Example: "  moncae data convert mnist-mini --format images --out digits-png",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(map[string]string{"format": format, "out": out}); err != nil {
				return err
			}
			if err := d.validate(); err != nil {
				return err
			}
			target := convert.Target{Path: out, Format: format, Overwrite: a.overwrite}
			if err := target.Check(); err != nil {
				return err
			}
			sets, err := a.splitsOf(cmd.Context(), args[0], format, d.options)
			if err != nil {
				return err
			}
			if err := convert.Write(a.FS, target, sets...); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, out)
			return err
		},
	}
	f := cmd.Flags()
	a.addOverwrite(f)
	f.Var(choice{&format, convert.Formats}, "format", "what to write (required)")
	f.StringVarP(&out, "out", "o", "", "`path` to write (required)")
	f.StringVar(&d.options.DataDir, "data-dir", "", "`folder` that named data sets are looked for in first")
	f.IntVar(&d.options.Limit, "limit", 0, "at most so many images of a split, a stratified sample; 0: all")
	d.columns(f)
	d.bad(f)
	d.prepare(f)
	f.Var(choice{&d.options.Split, source.Splits}, "split", "one split only, or all; as images, all are one folder a class (default all, each by itself)")
	return cmd
}

// splitsOf loads the split that is asked for, or each of those that the data set
// has; without any, train and test as they are set apart. All as a folder of images
// are one folder a class.
func (a *app) splitsOf(ctx context.Context, name, format string, o dataset.Options) ([]*dataset.Set, error) {
	splits := []string{o.Split}
	if o.Split == "" || o.Split == source.Whole && format != "images" {
		own, err := dataset.Splits(ctx, name, o)
		if err != nil {
			return nil, err
		}
		switch {
		case len(own) > 1:
			splits = own
		case o.Split == "":
			splits = []string{source.Train, source.Test}
		}
	}
	var sets []*dataset.Set
	for _, split := range splits {
		o.Split = split
		set, err := dataset.Load(ctx, name, o)
		if err != nil {
			return nil, err
		}
		a.skipped(set.Skipped)
		sets = append(sets, set)
	}
	return sets, nil
}
