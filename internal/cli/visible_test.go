//go:build unix

package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"moncae/internal/fault"
)

func TestNamesDontDriveTheTerminal(t *testing.T) {
	for _, c := range []struct {
		text, want string
		redraws    bool
	}{
		{"Straße\t7 │ ✓\n", "Straße\t7 │ ✓\n", false},
		{"\x1b[2Jgone\a\r\u009b1m\x7f\u202e", `\u001b[2Jgone\u0007\u000d\u009b1m\u007f\u202e`, false},
		{"\x9b1m", "\ufffd1m", false},
		{"\r\x1b[K\x1b[2K\x1b[0Kdone\x1b]0;title\a", "\r\x1b[K\x1b[2K\x1b[0Kdone\\u001b]0;title\\u0007", true},
	} {
		var b bytes.Buffer
		n, err := (&visible{to: &b, redraws: c.redraws}).Write([]byte(c.text))
		if b.String() != c.want || n != len(c.text) || err != nil {
			t.Errorf("%q becomes %q (%d, %v), want %q", c.text, b.String(), n, err, c.want)
		}
	}
}

// TestConfigIsBounded: nothing that the parser would take minutes for is given to
// it.
func TestConfigIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.yaml")
	for says, text := range map[string]string{
		"brackets are open":   "a: 1\nb: " + strings.Repeat("[", 30000),
		"larger than 32 KiB":  strings.Repeat("- ", 100000),
		"larger than 32 KiB:": strings.Repeat("[", 200000),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := &app{config: name}
		if err := a.applyConfig(a.newSearch()); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestWhenLeft: a hang-up and a closed pipe end the work, however often they come.
func TestWhenLeft(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE} {
		if signal.Ignored(s) {
			continue
		}
		ctx, forget := whenLeft(context.Background())
		for range 3 {
			if err := syscall.Kill(os.Getpid(), s); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
				t.Fatalf("%v does nothing", s)
			}
		}
		forget()
	}
}

// TestASlowReaderHoldsNobodyUp: who doesn't fetch his page keeps others from
// theirs no longer than the page takes to be made.
func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	defer func(old time.Duration) { slow = old }(slow)
	slow = 100 * time.Millisecond
	big := bytes.Repeat([]byte("x"), 64<<20) // more than a socket holds
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done, written := make(chan error, 1), make(chan error, 1)
	h := handed(func() ([]byte, error) { return big, nil }, func(err error) { written <- err })
	go func() { done <- serve(ctx, l, h) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-written:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("what nobody fetches ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("what nobody fetches is written for ever")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
