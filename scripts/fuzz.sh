#!/bin/sh
# Runs every fuzz target, one after another: sh scripts/fuzz.sh TIME [PATTERN]
# TIME is for each, as 1m; PATTERN is a part of target names, for some of them alone.
# What a target finds stands in its package's testdata/fuzz, for the tests to repeat.
set -eu
cd "$(dirname "$0")/.."
time=$1
pattern=${2:-}
failed=
for file in $(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file"); do
		case $target in *"$pattern"*) ;; *) continue ;; esac
		echo "$target in $(dirname "$file"), $time"
		nice ${GO:-go} test ${GOTAGS:-} -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel "${FUZZ_PARALLEL:-2}" "./$(dirname "$file")" || failed="$failed $target"
	done
done
[ -z "$failed" ] || {
	echo "failed:$failed" >&2
	exit 1
}
