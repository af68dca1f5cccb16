#!/bin/bash
# test-package.sh VENV: the tests of the Python package, with the wheel of dist/ installed
# in VENV, and those with PyTorch where tests/python/setup_torch.sh finds it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/$1/bin/python wheel=$(echo dist/moncae-*-py3-none-*.whl)
install() { "$python" -m pip install -q --disable-pip-version-check --no-deps "$@" "$wheel"; }

install --force-reinstall
for version in 3.11 3.14; do
	"$python" -m pyright --pythonpath "$python" --pythonversion "$version"
done
(cd python/tests && PATH=$(dirname "$python"):$PATH "$python" -m pytest -q -rs -p no:cacheprovider .)

if sh tests/python/setup_torch.sh python/tests/requirements-torch.txt; then
	rm -rf .deps/package
	install --target .deps/package # the other way to install that the program and its libraries have to bear
	PYTHONPATH=$PWD/.deps/package .deps/venv-torch/bin/python -m pytest -q -rs -p no:cacheprovider python/tests/test_{torch,program}.py
else
	[ -z "${MONCAE_REQUIRE_TORCH:-}" ]
fi
