//go:build unix

package worker

import "syscall"

// aside keeps the terminal's signals from a process, which ends with its input.
func aside() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
