package worker

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// apart keeps the terminal's signals from a worker, and has the system kill it when
// its starter dies, though it be stopped.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// start starts a process on a thread that lives as long as this process: Linux takes
// the end of the starting thread for that of the parent.
func start(cmd *exec.Cmd) error {
	done := make(chan error)
	starter() <- func() { done <- cmd.Start() }
	return <-done
}

var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})
