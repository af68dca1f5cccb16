#!/bin/bash
# Tests the CUDA engine on a machine without a GPU: the kernels' PTX is current, and
# what devices make of it as large as it was; the engine's tests run on a fake driver and
# a fake cuDNN (internal/engine/cuda/emulator), with cuDNN and without, the latter with the
# threads of a block in another order; the launches that were recorded meanwhile run again
# under sanitizers; the real cuDNN chooses for devices that are described to it, as the
# table in tests/cudnn has it; last there is no driver at all.
# CGO_CFLAGS comes from scripts/cuda.mk.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
packages=(./internal/engine/cuda/...)

sh scripts/fetch-cuda.sh cudnn & # meanwhile: once, it takes minutes
fetching=$!

python3 scripts/ptx-cuda.py --check
python3 scripts/sass-cuda.py --check
sh scripts/build-fake-cuda.sh
"$go" test -count=1 -timeout 1h -tags nvidia ./tests/kernels/...
.deps/cuda/fake/selftest

launches=$(mktemp -d)
trap 'rm -rf "$launches"' EXIT
export LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/lib MONCAE_TEST_FAKE_CUDA=1 MONCAE_FAKE_RECORD=$launches
echo "with cuDNN"
"$go" test -count=1 -timeout 1h -tags nvidia "${packages[@]}"
echo "the command line"
"$go" test -count=1 -timeout 1h -tags nvidia -run "TestScripts/(cuda|selftest)" ./internal/cli
echo "without cuDNN, threads shuffled"
MONCAE_CUDNN=/nowhere MONCAE_EMULATOR_SHUFFLE=3 "$go" test -count=1 -timeout 1h -tags nvidia -run 'TestEngine|TestOptimizers|TestHalf|TestWide|TestNarrow|TestBounds' ./internal/engine/cuda

unset LD_LIBRARY_PATH MONCAE_TEST_FAKE_CUDA MONCAE_FAKE_RECORD
echo "under sanitizers, the second time with barriers that do nothing" # one core each
fixed=$(sh scripts/fixed-addresses.sh)
$fixed .deps/cuda/fake/replay-threads "$launches" &
threads=$!
.deps/cuda/fake/replay-memory "$launches"
TSAN_OPTIONS=exitcode=0:suppress_equal_addresses=0:symbolize=0 $fixed .deps/cuda/fake/replay-threads --bare "$launches" 2>"$launches/reports" || {
	tail -n 20 "$launches/reports"
	exit 1
}
wait $threads

echo "the real cuDNN, without a GPU"
wait $fetching
g++ -fsyntax-only -w -I.deps/cuda/cudnn -I.deps/cuda/include -Iinternal/engine/cuda/cudnn -xc++ - <<'END'
#include <cstddef>
#define __CUDA_RUNTIME_API_H__ // which wants headers of nvcc
typedef struct CUstream_st *cudaStream_t;
typedef struct CUgraph_st *cudaGraph_t;
#include "cudnn_graph.h"
#include "constants.h"
#define AS_NVIDIA_HAS_IT(name, number) static_assert(int(name) == number, #name);
CUDNN_CONSTANTS(AS_NVIDIA_HAS_IT)
END
MONCAE_TEST_REAL_CUDNN=1 MONCAE_CUDNN=$PWD/.deps/cuda/cudnn/libcudnn.so.9 LD_LIBRARY_PATH=$PWD/.deps/cuda/deviceless "$go" test -count=1 -timeout 1h -tags nvidia ./tests/cudnn

echo "without a driver"
"$go" test -count=1 -timeout 1h -tags nvidia "${packages[@]}"
CGO_ENABLED=0 "$go" test -count=1 -timeout 1h "${packages[@]}"
