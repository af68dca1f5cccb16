// Package dataset reads image data sets: it finds out what lies at a name or a
// path, decodes it on all cores, and hands it over as bytes in NCHW order.
//
//	set, err := dataset.Load(ctx, "mnist-mini", dataset.Options{Split: "train"})   // a whole split in memory
//	src, err := dataset.Open(ctx, "photos.zip", dataset.Options{Split: "all"})     // a stream, for any size
//
// What is read: IDX (MNIST's format), image folders and zips and tars of them,
// WebDataset tars, the binary files of CIFAR and STL-10, SVHN's .mat, .npy and .npz,
// tables of pixels, Parquet and Arrow files. One small set, mnist-mini, is built in.
//
// Promises:
//   - ids count from 0 within a split: file order where the format has one, byte
//     order of the paths for folders and archives; an image that is skipped
//     keeps its number;
//   - the same content gives the same bytes and the same Fingerprint, whatever
//     the number of cores and wherever it lies; nothing depends on the clock;
//   - bad input is an error of the kind fault.Usage that names file, place and fix;
//   - lengths that a file claims are checked before memory is taken for them.
//
// Costs: Load takes N·C·H·W bytes, and the decoding of each image once. Open takes
// the list of paths and a few batches. Where neither ImageSize nor Channels are
// given, the headers of all images are read once before, for what all share.
package dataset
