#!/bin/sh
# Brings libonnxruntime for the CPU (18.6 MB) from PyPI to .deps/onnxruntime.
set -eu
cd "$(dirname "$0")/.."
dest=.deps/onnxruntime

python3 scripts/wheel.py onnxruntime==1.27.0 "$dest" capi/libonnxruntime.so=. onnxruntime/LICENSE=licenses onnxruntime/ThirdPartyNotices.txt=licenses
mv -f "$dest"/libonnxruntime.so.1.* "$dest/libonnxruntime.so.1" 2>/dev/null || test -f "$dest/libonnxruntime.so.1"
