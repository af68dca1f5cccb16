//go:build unix

package worker

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalOf is the name of the signal that ended a process, "" for none.
func signalOf(p *os.ProcessState) string {
	status, ok := p.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	return unix.SignalName(status.Signal())
}
