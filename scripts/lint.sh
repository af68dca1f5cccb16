#!/bin/bash
# Runs gofmt, go vet and golangci-lint; arguments go to vet, and tags to the
# linter. The linter is built once a version, in the user's cache.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v2.15.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/moncae-build/golangci-lint-$version

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted, run make fmt:" $unformatted >&2
	exit 1
fi
go vet "$@" ./...

if [ ! -x "$cache/golangci-lint" ]; then
	echo "building golangci-lint $version (once)" >&2
	GOBIN=$cache CGO_ENABLED=0 GOFLAGS= go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
fi
tags=()
if [ "${1:-}" = -tags ]; then
	tags=(--build-tags "$2")
fi
"$cache/golangci-lint" run "${tags[@]}" ./...
