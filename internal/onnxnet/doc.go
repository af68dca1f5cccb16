// Package onnxnet writes networks as ONNX models: Build the encoder, decoder and
// autoencoder of an arch.Arch and its weights, Head a classifier of latents,
// Pipeline an encoder with a head behind it.
//
// The models take and give NCHW float32 with a free batch size N; batch norm is
// folded into the convolution before it, dropout is gone, padding is explicit
// and symmetric. The same network gives the same bytes. Package export proves
// what is written here against the trainer.
package onnxnet

// The keys of the models' metadata.
const (
	KeyVersion    = "moncae.version"
	KeyArch       = "moncae.arch"       // arch.Arch, JSON
	KeyRun        = "moncae.run"        // the run's own id
	KeyCandidate  = "moncae.candidate"  // the candidate's id in the run
	KeyDataset    = "moncae.dataset"    // name and fingerprint, JSON
	KeyPreprocess = "moncae.preprocess" // how images become the input, JSON
	KeyMetrics    = "moncae.metrics"    // on validation images, JSON
	KeyPair       = "moncae.pair"       // the hash of the encoder's decoder, of the decoder's encoder
)
