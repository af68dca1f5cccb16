#!/bin/bash
# build-native.sh BINARY RUNPATH LIBS: the stripped linux/amd64 program, which looks
# for its libraries in RUNPATH, and oneDNN and libgomp, which it is linked with, in
# the folder LIBS. GOTAGS and VERSION are the Makefile's.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$1 runpath=$2 libs=$3
read -ra tags <<<"${GOTAGS:-}"
"${GO:-go}" build "${tags[@]}" -trimpath -ldflags "-s -w -X moncae/internal/version.release=$VERSION" -o "$binary" ./cmd/moncae
python3 scripts/runpath.py "$binary" "$runpath"
mkdir -p "$libs"
cp -L .deps/onednn/lib/libdnnl.so.3 "$libs/"
cp -L "$("${CC:-cc}" -print-file-name=libgomp.so.1)" "$libs/libgomp.so.1"
