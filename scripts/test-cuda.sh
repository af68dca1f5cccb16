#!/bin/bash
# Tests the CUDA engine on a machine without a GPU: the kernels' PTX is current
# and compiles, then the engine's tests run on a fake driver and a fake cuDNN
# (internal/engine/cuda/emulator), with cuDNN and without, the latter with the
# threads of a block in another order, and last with no driver at all.
# CGO_CFLAGS comes from scripts/cuda.mk.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
packages=(./internal/engine/cuda/...)

python3 scripts/ptx-cuda.py --check
sh scripts/build-fake-cuda.sh
.deps/cuda/fake/selftest

export LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/lib MONCAE_TEST_FAKE_CUDA=1
echo "with cuDNN"
"$go" test -count=1 -tags nvidia "${packages[@]}"
echo "the command line"
"$go" test -count=1 -tags nvidia -run "TestScripts/(cuda|selftest)" ./internal/cli
echo "without cuDNN, threads shuffled"
MONCAE_CUDNN=/nowhere MONCAE_EMULATOR_SHUFFLE=3 "$go" test -count=1 -tags nvidia -run 'TestEngine|TestOptimizers|TestHalf|TestWide|TestBounds' ./internal/engine/cuda

unset LD_LIBRARY_PATH MONCAE_TEST_FAKE_CUDA
echo "without a driver"
"$go" test -count=1 -tags nvidia "${packages[@]}"
CGO_ENABLED=0 "$go" test -count=1 "${packages[@]}"
