//go:build unix

package cli

import "golang.org/x/sys/unix"

// outputGone tells whether nobody can read standard output or standard error any
// more: a pipe's other end is closed. A variable, so that a test need not close its own.
var outputGone = func() bool {
	fds := []unix.PollFd{{Fd: 1}, {Fd: 2}}
	for {
		n, err := unix.Poll(fds, 0)
		if err == unix.EINTR {
			continue
		}
		return err == nil && n > 0 && (fds[0].Revents|fds[1].Revents)&(unix.POLLERR|unix.POLLNVAL) != 0
	}
}
