#!/bin/bash
# stage-wheel.sh FOLDER GOOS/GOARCH: what a wheel carries beside Python: the
# program, in lib the libraries that it is linked with, and all their licences.
set -euo pipefail
cd "$(dirname "$0")/.."
stage=$1 platform=$2
export GOOS=${platform%/*} GOARCH=${platform#*/}
if [ "$CGO_ENABLED" = 1 ]; then
	# The second place is the first as it lies in the wheel itself: auditwheel looks there.
	bash scripts/build-native.sh "$stage/moncae" '$ORIGIN/../share/moncae/lib:$ORIGIN/../data/share/moncae/lib' "$stage/lib"
	bash scripts/licenses.sh "$stage/licenses" native
else
	exe=$([ "$GOOS" = windows ] && echo .exe || true)
	"${GO:-go}" build -trimpath -ldflags "-s -w -X moncae/internal/version.release=$VERSION" -o "$stage/moncae$exe" ./cmd/moncae
	bash scripts/licenses.sh "$stage/licenses" pure
fi
