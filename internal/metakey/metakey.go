// Package metakey has the keys of the metadata that models and latents carry. What
// is in them stands in docs/format.
package metakey

// Prefix begins all of them.
const Prefix = "moncae."

// The keys. A value that is not said to be JSON is text.
const (
	Version    = "moncae.version"    // of the program
	Run        = "moncae.run"        // the run's own id
	Candidate  = "moncae.candidate"  // the candidate's id in the run
	Arch       = "moncae.arch"       // arch.Arch, JSON
	Dataset    = "moncae.dataset"    // name, and fingerprint or split, JSON
	Preprocess = "moncae.preprocess" // dataset.Preprocess and the order and scale of values, JSON
	Metrics    = "moncae.metrics"    // on validation images, JSON
	Pair       = "moncae.pair"       // the hash of the encoder's decoder, of the decoder's encoder
	Encoder    = "moncae.encoder"    // the hash of the encoder that made the latents
	Classes    = "moncae.classes"    // the names of labels and logits, JSON
	Head       = "moncae.head"       // linear, mlp or conv

	// Of latents alone.
	Latents     = "moncae.latents"          // version of the format
	Shape       = "moncae.shape"            // of a latent, JSON
	Decoder     = "moncae.decoder"          // the hash of the encoder's decoder
	Fingerprint = "moncae.fingerprint"      // of the images
	Scale       = "moncae.quant.scale"      // of int8, JSON
	ZeroPoint   = "moncae.quant.zero_point" // of int8, JSON
	Checksum    = "moncae.crc32c"           // of Parquet files; Arrow's have it in each message
)
