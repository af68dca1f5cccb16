#!/bin/sh
# Runs every fuzz target, one after another: sh scripts/fuzz.sh TIME [PATTERN]
# TIME is for each, as 1m; PATTERN is a part of target names, for some of them alone.
# With FUZZ_DONE, targets that this file names are passed over, and those that pass are
# added to it. What a target finds stands in its package's testdata/fuzz, for the tests
# to repeat.
set -eu
cd "$(dirname "$0")/.."
time=$1
pattern=${2:-}
done=${FUZZ_DONE:-/dev/null}
failed=
for file in $(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file"); do
		case $target in *"$pattern"*) ;; *) continue ;; esac
		[ ! -e "$done" ] || ! grep -qx "$target" "$done" || continue
		echo "$target in $(dirname "$file"), $time"
		# Go's minute for making each new input smaller would be all the time of targets with large ones.
		if nice ${GO:-go} test ${GOTAGS:-} -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1s -parallel "${FUZZ_PARALLEL:-2}" "./$(dirname "$file")"; then
			echo "$target" >>"$done"
		else
			failed="$failed $target"
		fi
	done
done
[ -z "$failed" ] || {
	echo "failed:$failed" >&2
	exit 1
}
