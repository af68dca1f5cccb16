#!/bin/bash
# Uses the wheel of dist/ in bare Debian systems: no Go, no compiler, no network.
#
#     bash scripts/test-bare.sh SUITE[:PACKAGE]…
#
# In a new root of each suite (bookworm has Python 3.11, trixie 3.13, sid the newest)
# the wheel and pandas are installed from wheels that were fetched outside; then
# `moncae doctor` and `moncae search`, the README's first Python block, and the
# package's tests run. PACKAGE is a Debian package that the tests then meet, such as
# python3-torch. Needs root, debootstrap, some minutes and 2 GB below TMPDIR a suite.
set -euo pipefail
cd "$(dirname "$0")/.."
need() {
	echo "test-bare.sh needs $1" >&2
	exit 4
}
[ "$(id -u)" = 0 ] || need "root, for chroot and unshare"
command -v debootstrap >/dev/null || need "debootstrap: apt-get install debootstrap"
wheel=$(echo "$PWD"/dist/moncae-*-manylinux_*_x86_64.whl)
[ -e "$wheel" ] || need "the wheel in dist: make wheel"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT

# alone ROOT COMMAND: in ROOT, with no network and nothing of this environment.
alone() {
	unshare --net --mount --pid --fork --root="$1" --mount-proc env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 bash -euo pipefail -c "cd /root; $2"
}

# fetch ROOT WORDS: wheels for the Python of ROOT.
fetch() {
	local root=$1
	shift
	python3 -m pip download -q --disable-pip-version-check --only-binary=:all: -d "$root/wheels" \
		--python-version "$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
}

for suite in "$@"; do
	package=$(echo "$suite" | cut -s -d: -f2)
	suite=${suite%%:*}
	root=$scratch/$suite
	debootstrap --variant=minbase --include="python3,python3-venv${package:+,$package}" "$suite" "$root" "$mirror" >"$scratch/log" || {
		tail -n 20 "$scratch/log" >&2
		exit 1
	}
	mkdir -p "$root/root/python" "$root/root/docs"
	cp README.md "$root/root/" && cp -r docs/how-to "$root/root/docs/" && cp -r python/tests "$root/root/python/"
	fetch "$root" "$wheel" pandas
	alone "$root" '
		for tool in go cc gcc c++ make git; do
			if command -v $tool; then echo "the root is not bare" >&2; exit 1; fi
		done
		python3 -m venv venv
		venv/bin/pip install -q --no-index --find-links /wheels moncae pandas
		venv/bin/moncae --version
		venv/bin/moncae doctor | grep -E "^(onnxruntime|engine onednn) +works"
		venv/bin/moncae search --run run --population 3 --generations 1 --epochs 1 --finetune 0 --train-limit 500 --reference 0.9,2.9
		venv/bin/python -c "
import re
page = open(\"README.md\", encoding=\"utf-8\").read()
exec(re.search(r\"\`\`\`python\n(.*?)\`\`\`\", page, re.DOTALL)[1])
"'
	grep -v pyright python/tests/requirements.txt >"$scratch/requirements"
	fetch "$root" -r "$scratch/requirements" moncae --find-links dist --pre
	cp "$scratch/requirements" "$root/root/"
	alone "$root" '
		python3 -m venv --system-site-packages tests # what the Debian package brings is seen
		tests/bin/pip install -q --no-index --find-links /wheels -r requirements moncae
		PATH=$PWD/tests/bin:$PATH tests/bin/python -m pytest -q -rs -p no:cacheprovider python/tests'
	rm -rf --one-file-system "$root"
	echo "$suite: the wheel works"
done
