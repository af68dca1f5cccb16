# The CUDA engine's part of the Makefile, included on linux/amd64. The build needs
# NVIDIA's headers alone: gorgonia.org/cu includes cuda.h, and its own cgo
# directives can't be told where that is, so CGO_CFLAGS has to. It silences
# warnings too, all of which are cu's.
TAGS   += nvidia
NATIVE += .deps/cuda/.ready
export CGO_CFLAGS := -O2 -w -I$(CURDIR)/.deps/cuda/include

.PHONY: ptx test-cuda test-cuda-long cudnn-table kernels-table gpu-wheels

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

test-cuda-long: .deps/cuda/.ready ## the same engine under AddressSanitizer, and more of its suite (half an hour)
	GO=$(GO) bash scripts/test-cuda-long.sh

cudnn-table: .deps/cuda/.ready ## ask cuDNN, without a GPU, what it chooses for the convolutions of 300 networks on four devices (a quarter of an hour, goes on where it was ended)
	sh scripts/fetch-cuda.sh cudnn
	MONCAE_TEST_REAL_CUDNN=1 MONCAE_CUDNN=$(CURDIR)/.deps/cuda/cudnn/libcudnn.so.9 LD_LIBRARY_PATH=$(CURDIR)/.deps/cuda/deviceless \
		$(GO) test -count=1 -v -timeout 6h -tags nvidia -run TestWriteTable ./tests/cudnn -write $(CURDIR)/.deps/cudnn-table

kernels-table: ## run the PTX of a training step's kernels on the CPU, and write what a model of an H100 makes of it (two minutes)
	$(GO) test -count=1 -tags nvidia -v -run TestTable ./tests/kernels -write

gpu-wheels: ## resolve the pip lines of docs/how-to/gpu.md (half a minute, from the registry)
	$(PYTHON) scripts/gpu_wheels.py

test: test-cuda
NIGHTLY += test-cuda-long
