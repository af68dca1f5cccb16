#!/bin/bash
# What scripts/test-cuda.sh has no time for, on the same fake driver and cuDNN (some 20
# minutes of processor time): the engine's tests with Go's and C's memory under
# AddressSanitizer, which at the end reports what nobody freed, then 200 random networks
# of the engines' suite with cuDNN, and without it, threads in another order.
# CGO_CFLAGS comes from scripts/cuda.mk.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

sh scripts/build-fake-cuda.sh
export LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/lib MONCAE_TEST_FAKE_CUDA=1
echo "under AddressSanitizer"
"$go" test -asan -count=1 -timeout 2h -tags nvidia ./internal/engine/cuda/...
echo "more networks"
"$go" test -count=1 -timeout 2h -tags nvidia -run TestEngine ./internal/engine/cuda -networks 200
MONCAE_CUDNN=/nowhere MONCAE_EMULATOR_SHUFFLE=5 "$go" test -count=1 -timeout 2h -tags nvidia -run TestEngine ./internal/engine/cuda -networks 200
