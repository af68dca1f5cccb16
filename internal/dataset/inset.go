package dataset

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"moncae/internal/fault"
)

// inSet is what went wrong with a data set, which it names. What isn't the system's fault
// is the data's: formats are read by libraries that have errors of their own.
func inSet(path string, err error) error {
	var system syscall.Errno
	if fault.Of(err) == fault.Failed && !errors.As(err, &system) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = fault.As(fault.Usage, err)
	}
	if path != "" && !strings.Contains(err.Error(), filepath.Base(path)) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return err
}
