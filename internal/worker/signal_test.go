//go:build unix

package worker

import (
	"os"
	"syscall"
	"time"
)

// signalSelf ends the process by a signal as native code would.
func signalSelf(name string) error {
	s := map[string]syscall.Signal{"SIGKILL": syscall.SIGKILL, "SIGSEGV": syscall.SIGSEGV, "SIGABRT": syscall.SIGABRT}[name]
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return nil
}
