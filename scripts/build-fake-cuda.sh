#!/bin/sh
# Builds a driver and a cuDNN that run on the CPU, for tests, into .deps/cuda/fake/lib
# (see internal/engine/cuda/emulator/README.md); with "threads" also into
# .deps/cuda/fake/threads, watched by ThreadSanitizer. Needs g++ alone.
set -eu
cd "$(dirname "$0")/.."
kernels=internal/engine/cuda/kernels
src=internal/engine/cuda/emulator
out=.deps/cuda/fake
flags="-std=c++17 -O2 -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off"
CXX=${CXX:-g++}

libraries() {
	lib=$1
	shift
	mkdir -p "$lib"
	$CXX $flags "$@" -shared -Wl,-Bsymbolic -Wl,-soname,libcuda.so.1 "$src/libcuda.cpp" "$out"/obj/*.o -o "$lib/libcuda.so.1"
	$CXX $flags "$@" -shared -Wl,-Bsymbolic -Wl,-soname,libcudnn.so.9 "$src/libcudnn.cpp" -L"$lib" -l:libcuda.so.1 -o "$lib/libcudnn.so.9"
}
if [ "${1:-}" = threads ]; then
	sh scripts/build-fake-cuda.sh
	libraries "$out/threads" -g -fsanitize=thread
	exit
fi

newest=$(ls -t $kernels/*.cu $kernels/*.cuh internal/engine/cuda/cudnn/constants.h $src/*.cpp $src/*.h scripts/build-fake-cuda.sh | head -1)
if [ -f "$out/replay-memory" ] && [ ! "$newest" -nt "$out/replay-memory" ]; then
	exit 0
fi
mkdir -p "$out/obj"
for kernel in $kernels/*.cu; do
	$CXX $flags -I"$src" -DMONCAE_EMULATOR -x c++ -c "$kernel" -o "$out/obj/$(basename "$kernel" .cu).o"
done
for part in emulator record; do
	$CXX $flags -c "$src/$part.cpp" -o "$out/obj/$part.o"
done
libraries "$out/lib"
$CXX $flags "$src/selftest.cpp" "$out/obj/emulator.o" -o "$out/selftest"

# The kernels under sanitizers, on launches that were recorded. The emulator itself is
# watched by none: it tells ThreadSanitizer what is a thread (races.h).
sanitized() {
	name=$1 emulator=$2
	shift 2
	objects=$out/obj/$name
	rm -rf "$objects" && mkdir -p "$objects"
	for kernel in $kernels/*.cu; do
		$CXX $flags -g -O1 "$@" -I"$src" -DMONCAE_EMULATOR -x c++ -c "$kernel" -o "$objects/$(basename "$kernel" .cu).o" &
	done
	$CXX $flags $emulator -c "$src/emulator.cpp" -o "$objects/emulator.o" &
	$CXX $flags "$@" -c "$src/replay.cpp" -o "$objects/replay.o" &
	$CXX $flags -c "$src/record.cpp" -o "$objects/record.o"
	wait
	$CXX "$@" "$objects"/*.o -o "$out/replay-$name"
}
sanitized threads -DMONCAE_TSAN -fsanitize=thread
sanitized memory "" -fsanitize=address,undefined -fno-sanitize-recover=all
