#!/bin/bash
# What scripts/test-cuda.sh has no time for, on the same fake driver and cuDNN (half an hour
# of processor time): the engine's tests with Go's and C's memory under
# AddressSanitizer, which at the end reports what nobody freed; with the fakes under
# ThreadSanitizer, for their own races would look like the engine's; then 200 random networks
# of the engines' suite with cuDNN, and without it, threads in another order.
# CGO_CFLAGS comes from scripts/cuda.mk.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

sh scripts/build-fake-cuda.sh
export LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/lib MONCAE_TEST_FAKE_CUDA=1
echo "under AddressSanitizer"
"$go" test -asan -count=1 -timeout 2h -tags nvidia ./internal/engine/cuda/...
echo "the fakes under ThreadSanitizer"
sh scripts/build-fake-cuda.sh threads
fixed=$(sh scripts/fixed-addresses.sh)
CGO_CFLAGS="$CGO_CFLAGS -fsanitize=thread" CGO_LDFLAGS=-fsanitize=thread LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/threads TSAN_OPTIONS=halt_on_error=1 \
	"$go" test -exec "$fixed" -count=1 -timeout 2h -tags nvidia ./internal/engine/cuda
echo "more networks"
"$go" test -count=1 -timeout 2h -tags nvidia -run TestEngine ./internal/engine/cuda -networks 200
MONCAE_CUDNN=/nowhere MONCAE_EMULATOR_SHUFFLE=5 "$go" test -count=1 -timeout 2h -tags nvidia -run TestEngine ./internal/engine/cuda -networks 200
