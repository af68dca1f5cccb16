#!/bin/sh
# Makes .deps/venv-torch, the environment of the tests that need PyTorch: Debian's PyTorch
# (apt-get install --no-install-recommends python3-torch python3-torchvision) and requirements-torch.txt.
# With a file of requirements, those too: notebook 02 has its kernel there, the Python package its tests.
# PyPI's wheels for Linux would bring 3 GB of CUDA. Exit code 4: there is no PyTorch.
set -eu
more=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.."
wanted=tests/python/requirements-torch.txt
env=.deps/venv-torch
python=${PYTHON_TORCH:-/usr/bin/python3}

# install WORDS…: pip install into the environment, which has no pip of its own.
install() {
  site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --only-binary=:all: \
    --python-version "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
    --upgrade --target "$site" "$@"
}

if [ ! "$env/.ready" -nt "$wanted" ]; then
  "$python" -c 'import torch, torchvision' 2>/dev/null || {
    echo "setup_torch.sh: $python has no PyTorch, what needs it is skipped; apt-get install --no-install-recommends python3-torch python3-torchvision" >&2
    exit 4
  }
  rm -rf "$env"
  "$python" -m venv --system-site-packages --without-pip "$env"
  install --no-deps -r "$wanted"
  touch "$env/.ready"
fi
done=$env/.more-$(echo "$more" | cksum | cut -d' ' -f1)
if [ -n "$more" ] && [ ! "$done" -nt "$more" ]; then
  install -c "$wanted" -r "$more"
  touch "$done"
fi
