package cli

import (
	"fmt"
	"path/filepath"

	"moncae/internal/onnx"
	"moncae/internal/rundir"
)

// encodersRun counts a command's openings of test data in the run that an
// encoder lies in, where it was exported from that run; nil where it lies
// elsewhere.
func (a *app) encodersRun(encoder, command string) (openTest func() (*int, error), err error) {
	if encoder == "" {
		return nil, nil
	}
	m, err := onnx.ReadFile(encoder)
	if err != nil {
		return nil, err
	}
	path, err := runAbove(encoder)
	if err != nil || path == "" {
		return nil, err
	}
	run, err := rundir.Read(path)
	if err != nil || run.Manifest.Run != m.Metadata()["moncae.run"] {
		return nil, err
	}
	note := a.openedBy(path, command)
	return func() (*int, error) {
		n, err := note()
		if err != nil {
			return nil, fmt.Errorf("test data is opened, and the encoder's run can't note that: %w (nothing is noted for a copy of the encoder outside the run)", err)
		}
		return n, nil
	}, nil
}

func (a *app) openedBy(path, command string) func() (*int, error) {
	return func() (*int, error) {
		n, err := rundir.NoteTest(path, command, a.FS)
		return &n, err
	}
}

// runAbove is the nearest folder above a file that holds a run, "" without one.
func runAbove(file string) (string, error) {
	at, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	for dir := filepath.Dir(at); dir != at; at, dir = dir, filepath.Dir(dir) {
		if rundir.Exists(dir) {
			return dir, nil
		}
	}
	return "", nil
}
