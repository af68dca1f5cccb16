#!/bin/bash
# Writes dist/: an archive for each platform, and SHA256SUMS. VERSION names them.
# linux/amd64 has the native engines and their libraries beside the binary, which
# finds them wherever the folder is put; the others are pure Go, vetted first.
# Equal sources and tools give equal archives.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
version=${VERSION:-$(git describe --tags --always --dirty)}
epoch=$(git log -1 --format=%ct)
flags=(-trimpath -ldflags "-s -w -X moncae/internal/version.release=$version")
rm -rf dist && mkdir dist

# pack FOLDER-NAME tar.gz|zip: adds what every archive has, the pages and what
# their links lead to, and packs it.
pack() {
	git ls-files -z LICENSE README.md CHANGELOG.md CONTRIBUTING.md CITATION.cff 'docs/**.md' docs/images notebooks | xargs -0 cp --parents -t "dist/$1"
	find "dist/$1" -exec touch -h -d "@$epoch" {} +
	case $2 in
	tar.gz) tar -C dist --sort=name --owner=0 --group=0 --numeric-owner -c "$1" | gzip -n >"dist/$1.tar.gz" ;;
	zip) python3 scripts/zip.py "dist/$1" "dist/$1.zip" ;;
	esac
	rm -r "dist/${1:?}"
}

if [ "$("$go" env GOOS)/$("$go" env GOARCH)" = linux/amd64 ]; then
	name=moncae-$version-linux-amd64
	VERSION=$version bash scripts/build-native.sh "dist/$name/moncae" '$ORIGIN/lib' "dist/$name/lib"
	bash scripts/licenses.sh "dist/$name/licenses" native
	cp -L .deps/onnxruntime/libonnxruntime.so.1 "dist/$name/lib/"
	cp -rL .deps/onnxruntime/licenses "dist/$name/licenses/onnxruntime"
	pack "$name" tar.gz
fi

for platform in linux/arm64 darwin/arm64 darwin/amd64 windows/amd64; do
	export GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0
	name=moncae-$version-$GOOS-$GOARCH
	exe=$([ "$GOOS" = windows ] && echo .exe || true)
	"$go" vet ./...
	mkdir "dist/$name"
	"$go" build "${flags[@]}" -o "dist/$name/moncae$exe" ./cmd/moncae
	GOTAGS= bash scripts/licenses.sh "dist/$name/licenses" pure
	pack "$name" "$([ "$GOOS" = windows ] && echo zip || echo tar.gz)"
done
(cd dist && sha256sum -- *.tar.gz *.zip >SHA256SUMS && cat SHA256SUMS)
