#!/bin/bash
# licenses.sh FOLDER native|pure: the licences of what is linked into the program,
# or lies beside it, each in a folder of its own. GOOS, GOARCH and GOTAGS say of
# which build.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$1
read -ra tags <<<"${GOTAGS:-}"
go=${GO:-go}
mkdir -p "$into/go"
cp "$("$go" env GOROOT)/LICENSE" "$into/go/LICENSE"
"$go" list "${tags[@]}" -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}	{{.Dir}}{{end}}{{end}}' ./cmd/moncae | sort -u | while IFS=$'\t' read -r module dir; do
	[ -n "$module" ] || continue
	found=$(find "$dir" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'unlicense*' \))
	# A few modules only tell theirs in their page.
	[ -n "$found" ] || found=$(find "$dir" -maxdepth 1 -type f -iname "readme*" | xargs -r -d "\n" grep -il licen) || { echo "licenses.sh: $module tells no licence in $dir" >&2; exit 1; }
	mkdir -p "$into/go/$module"
	printf '%s\n' "$found" | xargs -d '\n' -I{} install -m 644 {} "$into/go/$module/"
done
if [ "$2" = native ]; then
	cp -rL .deps/onednn/licenses "$into/onednn"
	echo "libgomp.so.1 is part of GCC: GPL version 3 with the GCC Runtime Library Exception 3.1, which lets programs of any licence use it. Its source is GCC's, https://gcc.gnu.org." >"$into/libgomp.txt"
fi
