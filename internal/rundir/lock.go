package rundir

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

// lock keeps a second process from writing a run. It belongs to the open file,
// not to the file's existence: the system drops it when a process ends, however
// it ends, so a lock file that a killed process left behind holds nobody up.
type lock struct{ f *os.File }

func takeLock(path string) (*lock, error) {
	f, err := durable.OpenOwn(path)
	if err != nil {
		return nil, err
	}
	if err := durable.TryLock(f); err != nil {
		defer func() { _ = f.Close() }() // the error to tell is the lock's
		if !errors.Is(err, durable.ErrHeld) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return nil, fault.Usagef("%s: the run is in use by %s: wait for it or stop it", path, holder(f))
	}
	l := &lock{f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// sign writes who holds the lock, for the message that another process shows.
func (l *lock) sign() error {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed machine"
	}
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err = l.f.WriteAt([]byte(text), 0)
	return err
}

func holder(f *os.File) string {
	b := make([]byte, 200)
	n, _ := f.ReadAt(b, 0) // a short read is the rule
	if text := strings.TrimSpace(string(b[:n])); text != "" {
		return text
	}
	return "another process"
}

func (l *lock) release() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}
