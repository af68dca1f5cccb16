// Package version says which moncae this is, for files and for people.
package version

import "runtime/debug"

// release is set by the linker in release builds: -X moncae/internal/version.release=v1.2.3.
var release = ""

// Number is the release's number; a build from a checkout has the commit
// instead, where the Go tool recorded it.
func Number() string {
	if release != "" {
		return release
	}
	if revision := Commit(); revision != "" {
		return "devel+" + revision[:min(12, len(revision))]
	}
	return "devel"
}

// Commit is the commit that the binary was built from, "" where that isn't
// known; "-dirty" follows where the checkout had changes.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}
