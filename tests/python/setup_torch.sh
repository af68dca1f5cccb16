#!/bin/sh
# Makes .deps/venv-torch, the environment of test_torch.py: Debian's PyTorch
# (apt-get install --no-install-recommends python3-torch python3-torchvision) and requirements-torch.txt.
# PyPI's wheels for Linux would bring 3 GB of CUDA. Exit code 4: there is no PyTorch.
set -eu
cd "$(dirname "$0")/../.."
wanted=tests/python/requirements-torch.txt
env=.deps/venv-torch
[ ! "$env/.ready" -nt "$wanted" ] || exit 0
python=${PYTHON_TORCH:-/usr/bin/python3}
"$python" -c 'import torch, torchvision' 2>/dev/null || {
  echo "setup_torch.sh: $python has no PyTorch, its tests are skipped; apt-get install --no-install-recommends python3-torch python3-torchvision" >&2
  exit 4
}
rm -rf "$env"
"$python" -m venv --system-site-packages --without-pip "$env"
site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --only-binary=:all: \
  --python-version "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
  --upgrade --target "$site" --no-deps -r "$wanted"
touch "$env/.ready"
