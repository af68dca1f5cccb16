// Package export turns candidates into ONNX models that are proven before they
// are handed over.
//
// Build writes encoder, decoder and autoencoder from an arch.Arch and its
// weights; Head and Pipeline do the same for classifiers of latents. The models
// take and give NCHW float32 with a free batch size N; batch norm is folded into
// the convolution before it, dropout is gone, padding is explicit. The same
// network gives the same bytes.
//
// Certify runs the models through ONNX Runtime, and encoders through onnx-go
// too, and holds every value against the trainer's own float32 forward pass.
// Export does all of it for a list of candidates and writes a folder for each,
// whole or not at all: a model that differs from the trainer is an error, and
// nothing of it is written.
//
// A candidate costs well under a second for networks of the size that moncae
// searches, most of it the certificate.
package export
