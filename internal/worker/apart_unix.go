//go:build unix && !linux

package worker

import "syscall"

// apart keeps the terminal's signals from a worker.
func apart() *syscall.SysProcAttr { return aside() }
