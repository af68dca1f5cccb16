// Package onnxnet writes networks as ONNX models: Build the encoder, decoder and
// autoencoder of an arch.Arch and its weights, Head a classifier of latents,
// Pipeline an encoder with a head behind it.
//
// The models take and give NCHW float32 with a free batch size N; batch norm is
// folded into the convolution before it, dropout is gone, padding is explicit
// and symmetric. The same network gives the same bytes. Package export proves
// what is written here against the trainer.
package onnxnet
