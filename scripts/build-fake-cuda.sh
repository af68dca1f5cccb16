#!/bin/sh
# Builds a driver and a cuDNN that run on the CPU, for tests, into .deps/cuda/fake/lib
# (see internal/engine/cuda/emulator/README.md). Needs g++ alone.
set -eu
cd "$(dirname "$0")/.."
kernels=internal/engine/cuda/kernels
src=internal/engine/cuda/emulator
out=.deps/cuda/fake
flags="-std=c++17 -O2 -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off"
CXX=${CXX:-g++}

newest=$(ls -t $kernels/*.cu $kernels/*.cuh $src/*.cpp $src/*.h scripts/build-fake-cuda.sh | head -1)
if [ -f "$out/lib/libcudnn.so.9" ] && [ ! "$newest" -nt "$out/lib/libcudnn.so.9" ]; then
	exit 0
fi
mkdir -p "$out/obj" "$out/lib"
for kernel in $kernels/*.cu; do
	$CXX $flags -I"$src" -DMONCAE_EMULATOR -x c++ -c "$kernel" -o "$out/obj/$(basename "$kernel" .cu).o"
done
$CXX $flags -c "$src/emulator.cpp" -o "$out/obj/emulator.o"
$CXX $flags -shared -Wl,-Bsymbolic -Wl,-soname,libcuda.so.1 "$src/libcuda.cpp" "$out"/obj/*.o -o "$out/lib/libcuda.so.1"
$CXX $flags -shared -Wl,-Bsymbolic -Wl,-soname,libcudnn.so.9 "$src/libcudnn.cpp" -L"$out/lib" -l:libcuda.so.1 -o "$out/lib/libcudnn.so.9"
$CXX $flags "$src/selftest.cpp" "$out/obj/emulator.o" -o "$out/selftest"
