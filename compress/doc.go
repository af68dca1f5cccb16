// Package compress takes data sets through an ONNX encoder into files of
// latents, and latents through a decoder back into images.
//
// Run reads, encodes and writes at the same time: images are decoded on all
// cores, batches are encoded several at once, and results are put in order
// before they are written. The rows, their order and their bits don't depend on
// the number of cores: every batch has the same size (the last may be shorter),
// and the float32 latents are those that ONNX Runtime gives in Python for the
// same batches, bit for bit.
//
// Memory is bounded, whatever the number of rows: the images that the reader is
// ahead, the batches under way, and two record batches. What is interrupted
// leaves no file under the final name; a folder of shards keeps its whole shards
// and goes on behind them.
//
// Values of dtype int8 need their range first: the data is read and encoded
// twice. What a decoder gives back is measured on a sample of rows, or on all
// with WithError; it costs a decoder's run for each of them.
package compress
