//go:build unix

package cli

import (
	"bytes"
	"context"
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
	defer func(old func() bool) { outputGone = old }(outputGone)
	outputGone = func() bool { return true }
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE} {
		if signal.Ignored(s) {
			continue
		}
		arrived := make(chan os.Signal, 1) // one that comes after forget would end the test
		signal.Notify(arrived, s)
		ctx, forget := whenLeft(context.Background())
		for range 3 {
			if err := syscall.Kill(os.Getpid(), s); err != nil {
				t.Fatal(err)
			}
			<-arrived
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
				t.Fatalf("%v does nothing", s)
			}
		}
		forget()
		signal.Stop(arrived)
	}
}
