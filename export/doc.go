// Package export turns candidates into ONNX models that are proven before they
// are handed over.
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
