package compress

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/metakey"
	"moncae/internal/modelinput"
	"moncae/internal/ort"
	"moncae/internal/worker"
)

// Options say what is compressed, with what, and into what.
type Options struct {
	Encoder string // ONNX file
	// Decoder is an ONNX file that the quality is measured with; "" takes
	// decoder.onnx beside the encoder if it belongs to it, "none" no one.
	Decoder string

	Data    string          // a name or path, see package dataset
	Dataset dataset.Options // its preprocessing is the encoder's where that says one

	Out       string // a file; with ShardRows a folder
	Overwrite bool   // what is at Out already
	Store     latent.Options
	WithError bool // the column error: each row's mean squared error
	ShardRows int  // rows a file; 0: one file
	Resume    bool // go on behind the last whole shard

	Batch   int          // images a run of the encoder; 0: 32, fewer for large images (256 on a GPU)
	Workers int          // cores; 0: all
	Pool    *worker.Pool // that makes the shards; nil: this process does
	Device  string       // auto, cpu, cuda or cuda:N
	Library string       // of ONNX Runtime; "" looks in the usual places

	// Foreign describes an encoder without moncae's metadata. Its image size and
	// channels are those that the model says, or Dataset's.
	Foreign modelinput.Spec
	FS      durable.FS

	// RunDir is the folder of the run that the encoder comes from, which counts uses
	// of its test images; "" is a folder above the encoder, where that is the run's.
	RunDir string

	noSample bool // no PNG, no quality
}

// resolve fills what is empty and tells what can't be.
func (o Options) resolve() (Options, error) {
	var err error
	if o.ShardRows == 0 {
		if o.Store.Format, err = formatOf(o.Out, o.Store.Format); err != nil {
			return o, err
		}
	}
	if o.Store, err = o.Store.Resolve(); err != nil {
		return o, err
	}
	if err := o.Foreign.Check(); err != nil {
		return o, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Dataset.Workers = o.Workers
	switch {
	case o.Encoder == "":
		return o, fault.Usagef("--encoder is missing: the encoder.onnx of an export")
	case o.Data == "":
		return o, fault.Usagef("--data is missing: a data set's name or path")
	case o.Out == "":
		return o, fault.Usagef("--out is missing: the file to write")
	case o.Batch < 0 || o.ShardRows < 0:
		return o, fault.Usagef("--batch %d, --shard-rows %d: neither can be below 0", o.Batch, o.ShardRows)
	case o.Resume && o.ShardRows == 0:
		return o, fault.Usagef("--resume goes on with shards: it needs the --shard-rows of the interrupted run")
	case o.Resume && o.Overwrite:
		return o, fault.Usagef("--resume goes on with the shards that are there, --overwrite removes them: give one of the two")
	case o.ShardRows == 0 && strings.HasSuffix(o.Out, "/"):
		return o, fault.Usagef("--out %s is a folder: name a file, or give --shard-rows", o.Out)
	}
	return o, nil
}

// continued are the options with what the shards that are there say of the encoder's
// input, where nothing else is asked for.
func (o Options) continued() (Options, error) {
	if !o.Resume {
		return o, nil
	}
	metadata, err := latent.Begun(o.Out)
	if err != nil || metadata[metakey.Preprocess] == "" {
		return o, err
	}
	p, err := preprocessOf(metadata[metakey.Preprocess])
	if err != nil {
		return o, fault.Damagedf("%s: metadata %s: %w", o.Out, metakey.Preprocess, err)
	}
	if o.Dataset.ImageSize == nil && p.Resize != "none" {
		o.Dataset = p.Apply(o.Dataset)
	}
	o.Foreign = o.Foreign.Or(p.Spec)
	return o, nil
}

// formatOf is the format that a file's ending says, where none is asked for; a
// contradiction is refused.
func formatOf(out string, asked latent.Format) (latent.Format, error) {
	end := strings.ToLower(filepath.Ext(out))
	switch {
	case end == ".parquet" && asked != "" && asked != latent.Parquet,
		slices.Contains([]string{".arrow", ".arrows", ".feather", ".ipc"}, end) && asked == latent.Parquet:
		return "", fault.Usagef("--out %s --format %s contradict each other: leave --format out, and the ending decides", out, asked)
	case slices.Contains([]string{".npy", ".npz", ".csv", ".json", ".png", ".onnx", ".safetensors", ".pt", ".h5", ".zip"}, end):
		return "", fault.Usagef("--out %s: latents are written as Arrow or Parquet: end the name in .arrow or .parquet", out)
	case asked != "":
		return asked, nil
	case end == ".parquet":
		return latent.Parquet, nil
	case end == ".arrows":
		return latent.Stream, nil
	}
	return latent.File, nil
}

func (o Options) session(threads int) ort.Options {
	return ort.Options{Library: o.Library, Device: o.Device, Threads: threads}
}

// Progress is how far a compression or decompression is.
type Progress struct {
	Phase   string // "calibrate" (the first of int8's two passes), "compress", "decompress"
	Rows    int64
	Total   int64 // −1: unknown
	Written int64 // bytes
	PerSec  float64
	Left    time.Duration // 0: unknown
}

// Observer is told the progress, about five times a second, from one goroutine.
type Observer func(Progress)
