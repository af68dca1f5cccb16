#!/bin/bash
# Tests the CUDA engine on a machine without a GPU: the kernels' PTX is current, and
# what devices make of it as large as it was; the engine's tests run on a fake driver and
# a fake cuDNN (internal/engine/cuda/emulator), with cuDNN and without, the latter with the
# threads of a block in another order; the launches that were recorded meanwhile run again
# under sanitizers; last there is no driver at all.
# CGO_CFLAGS comes from scripts/cuda.mk.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
packages=(./internal/engine/cuda/...)

python3 scripts/ptx-cuda.py --check
python3 scripts/sass-cuda.py --check
sh scripts/build-fake-cuda.sh
.deps/cuda/fake/selftest

launches=$(mktemp -d)
trap 'rm -rf "$launches"' EXIT
export LD_LIBRARY_PATH=$PWD/.deps/cuda/fake/lib MONCAE_TEST_FAKE_CUDA=1 MONCAE_FAKE_RECORD=$launches
echo "with cuDNN"
"$go" test -count=1 -tags nvidia "${packages[@]}"
echo "the command line"
"$go" test -count=1 -tags nvidia -run "TestScripts/(cuda|selftest)" ./internal/cli
echo "without cuDNN, threads shuffled"
MONCAE_CUDNN=/nowhere MONCAE_EMULATOR_SHUFFLE=3 "$go" test -count=1 -tags nvidia -run 'TestEngine|TestOptimizers|TestHalf|TestWide|TestBounds' ./internal/engine/cuda

unset LD_LIBRARY_PATH MONCAE_TEST_FAKE_CUDA MONCAE_FAKE_RECORD
echo "under sanitizers"
.deps/cuda/fake/replay-memory "$launches"
fixed= # ThreadSanitizer wants memory at its own addresses; a container may forbid to ask, and do without
if setarch -R true 2>/dev/null; then
	fixed="setarch -R"
fi
$fixed .deps/cuda/fake/replay-threads "$launches"
echo "under sanitizers, with barriers that do nothing"
TSAN_OPTIONS=exitcode=0:suppress_equal_addresses=0:symbolize=0 $fixed .deps/cuda/fake/replay-threads --bare "$launches" 2>"$launches/reports" || {
	tail -n 20 "$launches/reports"
	exit 1
}

echo "without a driver"
"$go" test -count=1 -tags nvidia "${packages[@]}"
CGO_ENABLED=0 "$go" test -count=1 "${packages[@]}"
