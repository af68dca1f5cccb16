# The CUDA engine's part of the Makefile, included on linux/amd64. The build needs
# NVIDIA's headers alone: gorgonia.org/cu includes cuda.h, and its own cgo
# directives can't be told where that is, so CGO_CFLAGS has to. It silences
# warnings too, all of which are cu's.
TAGS   += nvidia
NATIVE += .deps/cuda/.ready
export CGO_CFLAGS := -O2 -w -I$(CURDIR)/.deps/cuda/include

.PHONY: ptx test-cuda gpu-wheels

.deps/cuda/.ready: scripts/fetch-cuda.sh scripts/wheel.py | $(SETUP)
	sh scripts/fetch-cuda.sh && touch $@

.deps/cuda/.nvrtc: scripts/fetch-cuda.sh scripts/wheel.py | $(SETUP)
	sh scripts/fetch-cuda.sh nvrtc && touch $@

.deps/cuda/.nvcc: scripts/fetch-cuda.sh scripts/wheel.py | $(SETUP)
	sh scripts/fetch-cuda.sh nvcc && touch $@

ptx: .deps/cuda/.nvrtc .deps/cuda/.nvcc ## compile the CUDA kernels to the PTX that is embedded, and count their code
	$(PYTHON) scripts/ptx-cuda.py
	$(PYTHON) scripts/sass-cuda.py

test-cuda: .deps/cuda/.ready .deps/cuda/.nvrtc .deps/cuda/.nvcc ## the CUDA engine's tests, without a GPU
	GO=$(GO) bash scripts/test-cuda.sh

gpu-wheels: ## resolve the pip lines of docs/how-to/gpu.md (half a minute, from the registry)
	$(PYTHON) scripts/gpu_wheels.py

test: test-cuda
