package dataset

import (
	"math"
	"runtime"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// Options say which part of a data set is read, and how. The zero value reads
// the training split as it is.
type Options struct {
	Split     string         // "train" (also ""), "val", "test", "all" or "train+val"
	DataDir   string         // where named sets are looked for first
	Columns   source.Columns // where labels and images stand; what is empty is found
	ImageSize *[2]int        // height and width; nil: that of the images, which must agree
	Resize    string         // "fit", "crop", "pad"; "none": images must have ImageSize; "": fit if ImageSize is given
	Channels  int            // 1, 3, or 0: 1 if all images are stored grey, else 3
	// Background is the grey that transparent pixels are drawn on; nil: white.
	Background *uint8
	// Range are the stored values that become 0 and 255, others are clamped; nil: the
	// least and the greatest that can be stored (of floating-point numbers 0 and 1).
	Range      *[2]float64
	OnBadImage string // "fail" (also "") or "skip"
	Limit      int    // at most so many images, a stratified sample; 0: all
	// From and To are the positions, within all that is asked for above, of the first
	// row that is read and of the row behind the last; 0 and 0: all.
	From, To int64
	// TestFraction is held out as the test split, stratified, where the source has
	// no test split of its own; 0 is DefaultTestFraction.
	TestFraction float64
	// Seed draws the held-out test split and the sample of Limit. Commands that
	// must agree on what is test data must use the same, so it is no run's seed.
	Seed    uint64
	Workers int // goroutines that decode; 0: GOMAXPROCS
}

const white = 255

// DefaultTestFraction is held out for tests from sources without a test split.
const DefaultTestFraction = 0.1

// maxSide is the largest side that ImageSize may ask for.
const maxSide = 1 << 13

// withDefaults checks the options and fills in what was left open.
func (o Options) withDefaults() (Options, error) {
	fill := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	fill(&o.Split, source.Train)
	fill(&o.OnBadImage, "fail")
	if o.ImageSize == nil {
		fill(&o.Resize, pixel.None)
	}
	fill(&o.Resize, pixel.Fit)
	if o.Background == nil {
		o.Background = new(uint8(white))
	}
	if o.TestFraction == 0 {
		o.TestFraction = DefaultTestFraction
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case !slices.Contains([]string{source.Train, source.Val, source.Test, source.Whole, source.TrainVal}, o.Split):
		return o, fault.Usagef("split %q: it is train, val, test or all", o.Split)
	case !slices.Contains([]string{pixel.None, pixel.Fit, pixel.Crop, pixel.Pad}, o.Resize):
		return o, fault.Usagef("resize %q: it is fit, crop or pad (or none)", o.Resize)
	case o.Resize != pixel.None && o.ImageSize == nil:
		return o, fault.Usagef("resize %q needs a size to scale to: --image-size HxW", o.Resize)
	case o.ImageSize != nil && (min(o.ImageSize[0], o.ImageSize[1]) < 1 || max(o.ImageSize[0], o.ImageSize[1]) > maxSide):
		return o, fault.Usagef("image size %d×%d: sides are 1 to %d", o.ImageSize[0], o.ImageSize[1], maxSide)
	case o.Channels != 0 && o.Channels != 1 && o.Channels != 3:
		return o, fault.Usagef("channels %d: 1 (grey) or 3 (colour)", o.Channels)
	case o.OnBadImage != "fail" && o.OnBadImage != "skip":
		return o, fault.Usagef("on-bad-image %q: it is fail or skip", o.OnBadImage)
	case o.Range != nil && !(o.Range[0] < o.Range[1] && !math.IsInf(o.Range[1]-o.Range[0], 0)):
		return o, fault.Usagef("range %v,%v: two numbers, the lower one first", o.Range[0], o.Range[1])
	case o.Limit < 0:
		return o, fault.Usagef("limit %d: it is at least 1, or 0 for all", o.Limit)
	case o.From < 0 || o.To < o.From:
		return o, fault.Usagef("rows from %d up to %d: there are none", o.From, o.To)
	case !(o.TestFraction > 0 && o.TestFraction < 1):
		return o, fault.Usagef("test fraction %v: it is between 0 and 1", o.TestFraction)
	}
	return o, nil
}

// Preprocess is what was done to images on their way to CHW bytes. It belongs to
// runs, models and latents: the same must be done to every image they meet.
type Preprocess struct {
	ImageSize [2]int `json:"image_size"` // height and width
	Resize    string `json:"resize"`     // none, fit, crop, pad
	Channels  int    `json:"channels"`   // 1 or 3
	// Background is the grey that transparent pixels are drawn on. It was black, 0,
	// before it could be chosen.
	Background uint8 `json:"background,omitempty"`
	// Range are the stored values that become 0 and 255; nil: the least and the
	// greatest that can be stored.
	Range *[2]float64 `json:"range,omitempty"`
}

// Apply makes o read images exactly so; images of another size are scaled only
// if the preprocessing scaled.
func (p Preprocess) Apply(o Options) Options {
	o.ImageSize, o.Resize, o.Channels = &p.ImageSize, p.Resize, p.Channels
	o.Background, o.Range = &p.Background, p.Range
	return o
}

// Shape is that of the preprocessed images.
func (p Preprocess) Shape() arch.Shape {
	return arch.Shape{C: p.Channels, H: p.ImageSize[0], W: p.ImageSize[1]}
}

// checkColumns refuses to look for columns in a format that has none.
func checkColumns(c source.Columns, format string) error {
	table := format == "parquet" || format == "arrow"
	switch {
	case c.LabelFile != "" && format != "images":
		return fault.Usagef("--label-file is for folders and archives of images; this is %s", format)
	case c.Image != "" && format != "images" && !table:
		return fault.Usagef("--image-column is for Parquet, Arrow, and images with a table of labels; this is %s", format)
	case c.Label != "" && format != "images" && format != "csv" && !table:
		return fault.Usagef("--label-column is for Parquet, Arrow, images with a table of labels, and CSV files of pixels; this is %s", format)
	}
	return nil
}
