//go:build !linux

package worker

import "os/exec"

func start(cmd *exec.Cmd) error { return cmd.Start() }
