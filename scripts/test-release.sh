#!/bin/bash
# Unpacks dist/'s linux/amd64 archive in a folder with a blank in its name, and
# uses it there with an empty environment: all libraries must come from it. Where
# qemu-aarch64 is there (Debian: qemu-user), the linux/arm64 build searches on the
# reference engine under it, and must find what this machine finds, up to rounding.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=$PWD/dist
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/some where" && cd "$scratch/some where"
(cd "$dist" && sha256sum --quiet -c SHA256SUMS)
small=(--device ref --population 2 --generations 1 --epochs 1 --finetune 0 --max-layers 1 --max-filters 4 --reference 4,12 --no-export)

tar xzf "$dist"/moncae-*-linux-amd64.tar.gz
ln -s moncae-*-linux-amd64/moncae moncae # found through a link too
alone() { env -i HOME="$scratch" PATH=/usr/bin:/bin "$@"; }
alone ldd moncae-*-linux-amd64/moncae | tee ldd.txt
if grep 'not found' ldd.txt || [ "$(grep -c "$scratch/some where/.*/lib/" ldd.txt)" -lt 2 ]; then
	echo "libraries don't come from the archive" >&2
	exit 1
fi
if readelf -d moncae | grep RUNPATH | grep -v '\[$ORIGIN/lib\]'; then
	echo "the binary names folders of this machine" >&2
	exit 1
fi
alone ./moncae doctor
alone ./moncae doctor --json | grep -q "\"path\": \"$scratch/some where/.*libonnxruntime"
alone ./moncae search --run run --population 3 --generations 1 --epochs 1 --finetune 1 --train-limit 500
alone ./moncae export run --candidate knee --out knee
alone ./moncae compress --encoder knee/*/encoder.onnx --data mnist-mini --split test --out test.arrow

alone ./moncae data convert mnist-mini --limit 60 --format npz --out tiny.npz
alone ./moncae search --data tiny.npz --run here "${small[@]}"
if command -v qemu-aarch64 >/dev/null; then
	tar xzf "$dist"/moncae-*-linux-arm64.tar.gz
	alone qemu-aarch64 moncae-*-linux-arm64/moncae version
	alone qemu-aarch64 moncae-*-linux-arm64/moncae search --data tiny.npz --run there "${small[@]}"
	python3 - <<'P'
import json
here, there = (json.load(open(f"{run}/front.json")) for run in ("here", "there"))
assert here["members"] and [m["id"] for m in here["members"]] == [m["id"] for m in there["members"]] and here["run"] == there["run"]
for a, b in zip(here["members"], there["members"]):
    assert abs(a["bce"] - b["bce"]) < 1e-4, (a, b)
print("arm64 finds what amd64 finds")
P
	for command in export compress; do # what needs ONNX Runtime says so
		code=0
		case $command in
		export) alone qemu-aarch64 moncae-*-linux-arm64/moncae export run --out no || code=$? ;;
		compress) alone qemu-aarch64 moncae-*-linux-arm64/moncae compress --encoder knee/*/encoder.onnx --data mnist-mini --split test --out no.arrow || code=$? ;;
		esac
		[ $code = 4 ] || { echo "$command without ONNX Runtime ended with $code, not 4" >&2; exit 1; }
	done
fi
echo "the archives work"
