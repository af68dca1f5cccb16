// Package export turns candidates into ONNX models that are proven before they
// are handed over.
//
// The way of a candidate: Export reads its weights from the run, onnxnet builds the
// models, certify runs them through ONNX Runtime, and encoders through onnx-go too,
// and holds every value against the trainer's own float32 forward pass; describe
// and annotate tell what the run knows. The folder appears whole or not at all: a
// model that differs from the trainer is an error, and nothing of it is written.
//
// A candidate costs well under a second for networks of the size that moncae
// searches, most of it the certificate.
package export
