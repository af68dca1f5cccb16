#!/bin/sh
# Brings what the CUDA engine is built with from PyPI to .deps/cuda: the headers
# (3.5 MB; no NVIDIA library is linked), with the word "nvrtc" the compiler
# that turns internal/engine/cuda/kernels/*.cu into PTX (24 MB; for `make ptx` and `make test-cuda`),
# with "nvcc" the assembler of the devices' own code (40 MB; for `make test-cuda`, which counts it), with
# "cudnn" the part of cuDNN that chooses (680 MB to fetch, 830 MB to keep; for `make test-cuda` and `make cudnn-table`).
# NVRTC 12.1 writes PTX 8.1, which every driver from 530 on takes.
set -eu
cd "$(dirname "$0")/.."
dest=.deps/cuda

python3 scripts/wheel.py nvidia-cuda-runtime-cu12==12.9.79 "$dest" nvidia/cuda_runtime/include/=include .dist-info/licenses/License.txt=licenses
case "${1:-}" in
nvrtc) python3 scripts/wheel.py nvidia-cuda-nvrtc-cu12==12.1.105 "$dest" nvidia/cuda_nvrtc/lib/=nvrtc ;;
nvcc)
	python3 scripts/wheel.py nvidia-cuda-nvcc-cu12==12.9.86 "$dest" nvidia/cuda_nvcc/bin/ptxas=nvcc
	chmod +x "$dest/nvcc/ptxas"
	;;
cudnn)
	lib=nvidia/cudnn/lib/libcudnn
	python3 scripts/wheel.py nvidia-cudnn-cu12==9.28.0.42 "$dest" $lib.so=cudnn ${lib}_graph=cudnn ${lib}_engines=cudnn ${lib}_heuristic=cudnn \
		nvidia/cudnn/include/cudnn_graph.h=cudnn nvidia/cudnn/include/cudnn_version.h=cudnn
	python3 scripts/deviceless.py
	;;
"") ;;
*)
	echo "usage: fetch-cuda.sh [nvrtc|nvcc|cudnn]" >&2
	exit 2
	;;
esac
