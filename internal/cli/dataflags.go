package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// dataFlags say which images a command reads and how.
type dataFlags struct {
	name    string
	options dataset.Options
}

// locate adds the flags that say where the images are.
func (d *dataFlags) locate(f *pflag.FlagSet, standard string) {
	f.StringVarP(&d.name, "data", "d", standard, "data set: a `name` (see moncae data list), or a folder, zip, tar, npz, Parquet or Arrow file")
	f.StringVar(&d.options.DataDir, "data-dir", "", "`folder` that named data sets are looked for in first (then $MONCAE_DATA, then the cache)")
	d.columns(f)
	d.bad(f)
}

// columns adds the flags that say where labels and images stand in tables.
func (d *dataFlags) columns(f *pflag.FlagSet) {
	f.StringVar(&d.options.Columns.LabelFile, "label-file", "", "`table` of labels for images without class folders: CSV, text, JSON, JSON lines or Parquet (default: one beside them that names them)")
	f.StringVar(&d.options.Columns.Label, "label-column", "", "`column` of the labels, in that table or in the data set's own (default: found by its name)")
	f.StringVar(&d.options.Columns.Image, "image-column", "", "`column` of the images, or of their names in a table of labels (default: found)")
}

func (d *dataFlags) bad(f *pflag.FlagSet) {
	f.Var(choice{&d.options.OnBadImage, []string{"fail", "skip"}}, "on-bad-image", "what to do with an image that can't be read (default fail)")
}

// prepare adds the flags that change the images on their way in.
func (d *dataFlags) prepare(f *pflag.FlagSet) {
	f.Var(sizeFlag{&d.options.ImageSize}, "image-size", "scale all images to this height and width, for example 32x32")
	f.Var(choice{&d.options.Resize, []string{"fit", "crop", "pad"}}, "resize", "how --image-size treats other proportions: fit stretches, crop and pad keep them (default fit)")
	f.IntVar(&d.options.Channels, "channels", 0, "1 (grey) or 3 (RGB); 0 takes what the images have")
	f.Var(greyFlag{&d.options.Background}, "background", "what transparent pixels are drawn on: white, black, or a grey from 0 to 255 (default white)")
	f.Var(rangeFlag{&d.options.Range}, "range", "stored values that become black and white: 0,1 or 0,4095 or -1,1 (default: the least and the greatest possible; of floats 0,1)")
	f.Float64Var(&d.options.TestFraction, "test-fraction", dataset.DefaultTestFraction, "held out as the test split where the data set has none of its own")
}

func (d *dataFlags) validate() error {
	if d.options.Resize != "" && d.options.ImageSize == nil {
		return fault.Usagef("--resize %s needs a size: add --image-size HxW", d.options.Resize)
	}
	return d.validateForModel()
}

// validateForModel is validate for a model, which brings the size.
func (d *dataFlags) validateForModel() error {
	o := d.options
	switch {
	case o.Channels != 0 && o.Channels != 1 && o.Channels != 3:
		return fault.Usagef("--channels is %d; give 1 (grey) or 3 (RGB)", o.Channels)
	case !(o.TestFraction > 0 && o.TestFraction < 1):
		return fault.Usagef("--test-fraction is %v; give a number between 0 and 1", o.TestFraction)
	}
	return nil
}

// skipped tells on stderr which images were left out.
func (a *app) skipped(s []dataset.Skipped) {
	for i, k := range s {
		if i == 10 {
			fmt.Fprintf(a.Err, "moncae: … and %d more\n", len(s)-i)
			return
		}
		fmt.Fprintf(a.Err, "moncae: skipped %s: %s\n", fault.Name(k.Path), fault.Name(k.Reason))
	}
}

// addSplit adds the flag of commands that read one split.
func addSplit(f *pflag.FlagSet, to *string) {
	f.Var(choice{to, source.Splits}, "split", "which `part` to read: train, val, test or all (default train)")
}

// keepsPreprocessing refuses the flags that would prepare a run's images otherwise.
func keepsPreprocessing(path string, f *pflag.FlagSet) error {
	for _, name := range []string{"image-size", "resize", "channels", "background", "range", "test-fraction"} {
		if flag := f.Lookup(name); flag != nil && flag.Changed {
			return fault.Usagef("--%s can't be given for a run: it keeps the preprocessing that it began with (see %s/run.json)", name, path)
		}
	}
	return nil
}
