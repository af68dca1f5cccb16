#!/bin/sh
# Makes .deps/venv-torch, the environment of test_torch.py: Debian's PyTorch
# (apt-get install --no-install-recommends python3-torch python3-torchvision) and requirements-torch.txt.
# PyPI's wheels for Linux would bring 3 GB of CUDA.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, torchvision' || { echo "setup_torch.sh: $python has no torch; apt-get install --no-install-recommends python3-torch python3-torchvision" >&2; exit 4; }
"$python" -m venv --system-site-packages --without-pip .deps/venv-torch
site=$(.deps/venv-torch/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
python3 -m pip install -q --disable-pip-version-check --only-binary=:all: --python-version "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
  --upgrade --target "$site" --no-deps -r tests/python/requirements-torch.txt
