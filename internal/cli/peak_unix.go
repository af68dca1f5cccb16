//go:build unix

package cli

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// peak is the largest memory that the process has had, as a sentence's end.
func peak() string {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return ""
	}
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return ", memory at its peak " + humanBytes(u.Maxrss*unit)
}
