#!/bin/sh
# Runs long make targets one after another: sh scripts/nightly.sh TARGET…
#
# A target that passed is not run again on the same sources: called again after an
# interruption or a failure, the list goes on with what is left, fuzzing with the
# targets that have not passed, and kills on Ray with those that have not. Logs lie in
# .deps/nightly/<sources>/<target>.log.
set -eu
cd "$(dirname "$0")/.."
sources=$(git rev-parse --short HEAD)-$( (git diff HEAD; git status --porcelain) | git hash-object --stdin | cut -c1-8)
logs=.deps/nightly/$sources
mkdir -p "$logs"
failed=
for target in "$@"; do
	if [ -e "$logs/$target.passed" ]; then
		echo "$target: passed before"
		continue
	fi
	echo "$target: $logs/$target.log"
	if FUZZ_DONE=$logs/fuzz.done RAY_DONE=$logs/ray.done make "$target" >"$logs/$target.log" 2>&1; then
		touch "$logs/$target.passed"
	else
		failed="$failed $target"
		tail -n 20 "$logs/$target.log"
	fi
done
[ -z "$failed" ] || {
	echo "failed:$failed" >&2
	exit 1
}
