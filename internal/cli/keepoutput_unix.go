//go:build unix

package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// keepOutput gives the standard output another descriptor, and its own to the
// standard error.
func keepOutput(out io.Writer) (io.Writer, error) {
	if out != os.Stdout {
		return out, nil
	}
	fd, err := unix.FcntlInt(os.Stdout.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "standard output"), replaceDescriptor(2, 1)
}
