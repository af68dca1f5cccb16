// Package onnxpb is the generated code of moncae_onnx.proto, the part of ONNX
// that moncae reads and writes. Use package onnx, which checks what it reads.
//
// It is made with protoc (Debian's protobuf-compiler, or PyPI's grpcio-tools as
// "python3 -m grpc_tools.protoc") and protoc-gen-go v1.36.12
// ("go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12") by
// "go generate ./internal/onnx/onnxpb".
package onnxpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative moncae_onnx.proto
