//go:build unix

package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"moncae/internal/fault"
)

func TestOnlyFilesAreOpened(t *testing.T) {
	dir, err := os.MkdirTemp("", "moncae-") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	at := func(name string) string { return filepath.Join(dir, name) }
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if err := errors.Join(syscall.Mkfifo(at("pipe"), 0o666), os.Symlink("/dev/zero", at("device")), os.WriteFile(at("file"), []byte("text"), 0o666)); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"pipe": "is a pipe", "device": "is a device", "socket": "is a device or a socket", ".": "is a folder"} {
		if _, err := ReadFile(at(name)); err == nil || fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
	if _, err := OpenStream(at("pipe")); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("a pipe without a writer: %v", err)
	}
	if b, err := ReadFile(at("file")); err != nil || string(b) != "text" {
		t.Errorf("file: %q, %v", b, err)
	}
	if _, err := Open(at("missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// TestOpenStream: what stands behind <(command) is read to its end, also if it comes late.
func TestOpenStream(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenStream(fmt.Sprintf("/dev/fd/%d", r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		time.Sleep(10 * time.Millisecond)
		_, err := w.WriteString("text")
		done <- errors.Join(err, w.Close())
	}()
	b, err := io.ReadAll(f)
	if err = errors.Join(err, <-done, f.Close(), r.Close()); err != nil || string(b) != "text" {
		t.Errorf("%q, %v", b, err)
	}
}
