#!/bin/sh
# Brings oneDNN (library and headers, 39 MB) from PyPI to .deps/onednn; with
# DNNL_ROOT set, links that installation (3.0 or newer) there instead.
set -eu
cd "$(dirname "$0")/.."
dest=.deps/onednn

if [ -n "${DNNL_ROOT:-}" ]; then
	[ -f "$DNNL_ROOT/include/oneapi/dnnl/dnnl.hpp" ] || {
		echo "DNNL_ROOT=$DNNL_ROOT has no include/oneapi/dnnl/dnnl.hpp: give the folder that holds include and lib of oneDNN 3.0 or newer" >&2
		exit 4
	}
	mkdir -p .deps
	rm -rf "$dest"
	ln -s "$DNNL_ROOT" "$dest"
	exit 0
fi

python3 scripts/wheel.py onednn-cpu-gomp==2023.2.0 "$dest" data/lib/libdnnl.so.3=lib data/share/doc/onednn/=licenses
python3 scripts/wheel.py onednn-devel-cpu-gomp==2023.2.0 "$dest" data/include/=include
# The wheel holds the library under three names, each a whole copy.
rm -f "$dest/lib/libdnnl.so.3.2"
ln -sf libdnnl.so.3 "$dest/lib/libdnnl.so"
