package latent

import (
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// DType is the element type of the stored latents.
type DType string

// The element types.
const (
	Float32 DType = "float32"
	Float16 DType = "float16"
	Int8    DType = "int8" // per-channel affine, see Quant
	// Uint8 is for decompressed images only, whose values are in [0, 1]: 255·x,
	// rounded.
	Uint8 DType = "uint8"
)

// Bytes is the size of one value.
func (d DType) Bytes() int {
	switch d {
	case Float32:
		return 4
	case Float16:
		return 2
	case Int8, Uint8:
		return 1
	}
	panic("latent: dtype " + string(d) + " was not validated")
}

// Layout is how the column `latent` is typed.
type Layout string

// The layouts.
const (
	Tensor Layout = "tensor" // arrow.fixed_shape_tensor[C,H,W]
	List   Layout = "list"   // a plain list of C·H·W values, for readers that refuse extension types
)

// Format is the kind of file.
type Format string

// The formats.
const (
	File    Format = "file"    // Arrow IPC file: can be memory-mapped
	Stream  Format = "stream"  // Arrow IPC stream
	Parquet Format = "parquet" // always with layout list
)

// Extension is the usual end of the format's file names.
func (f Format) Extension() string {
	switch f {
	case Stream:
		return ".arrows"
	case Parquet:
		return ".parquet"
	}
	return ".arrow"
}

// Compression is how the buffers of a file are packed.
type Compression string

// The compressions.
const (
	None Compression = "none" // maps into memory without a copy
	LZ4  Compression = "lz4"
	Zstd Compression = "zstd"
)

// Options are how latents are stored. Empty fields are float32, tensor, file
// and none; for parquet the layout is list.
type Options struct {
	DType       DType
	Layout      Layout
	Format      Format
	Compression Compression
}

// Resolve fills what is empty and tells what can't be.
func (o Options) Resolve() (Options, error) {
	o.DType = orElse(o.DType, Float32)
	o.Format = orElse(o.Format, File)
	o.Compression = orElse(o.Compression, None)
	if o.Format == Parquet {
		o.Layout = orElse(o.Layout, List)
	}
	o.Layout = orElse(o.Layout, Tensor)
	for _, err := range []error{
		oneOf("--dtype", o.DType, Float32, Float16, Int8),
		oneOf("--layout", o.Layout, Tensor, List),
		oneOf("--format", o.Format, File, Stream, Parquet),
		oneOf("--compression", o.Compression, None, LZ4, Zstd),
	} {
		if err != nil {
			return o, err
		}
	}
	if o.Format == Parquet && o.Layout == Tensor {
		return o, fault.Usagef("--layout tensor: Parquet files take --layout list")
	}
	if o.Format == Parquet && o.Compression == LZ4 {
		return o, fault.Usagef("--compression lz4: Parquet files take none or zstd")
	}
	return o, nil
}

func orElse[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}

func oneOf[T ~string](flag string, v T, known ...T) error {
	names := make([]string, len(known))
	for i, k := range known {
		if v == k {
			return nil
		}
		names[i] = string(k)
	}
	return fault.Usagef("%s %s: there is %s", flag, v, strings.Join(names, ", "))
}

// Unchecked is what to say of latents that were not Checked.
func Unchecked(path string) string {
	return path + ": not checked for damage, it has no checksums (another program or an older moncae wrote it)"
}

// Meta is what a file says of its latents beside the rows.
type Meta struct {
	// Shape is the latents' channels, height and width.
	Shape arch.Shape
	// Column is the name of the column of tensors: "" is latent; decompressed
	// images are written as image, and are not read back here.
	Column string
	// Run is the search that the encoder comes from; empty where unknown.
	Run string
	// Encoder and Decoder are the models' hashes; empty where unknown.
	Encoder, Decoder string
	// Arch, Dataset and Preprocess are JSON texts, as in the encoder's own
	// metadata; empty where unknown.
	Arch, Dataset, Preprocess string
	// Fingerprint identifies the images and their labels, see dataset.Fingerprint;
	// empty where unknown.
	Fingerprint string
	// Classes are the names of the labels 0, 1, …; nil where they have none.
	Classes []string
	// Quant is there exactly if the values are int8.
	Quant *Quant
	// Checked tells of what was read whether it was held against checksums: those in
	// files of this package, or the SHA-256 of shards. Others' files have none.
	Checked bool
	// Paths, Splits and Errors tell which optional columns there are.
	Paths, Splits, Errors bool
}
