//go:build unix

package chaos_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// kinds are the steps that can fail.
var kinds = []string{"create", "write", "sync", "rename", "exchange", "syncdir", "mkdir", "truncate", "remove"}

// TestFault makes the first, the middle and the last step of each kind fail in each
// job, as on a full disk: the process ends with 1 and one line, leaves no temporary
// file, and the command then works.
func TestFault(t *testing.T) {
	all, end := prepared(t), share(30)
	faults, missed := map[string]int{}, 0
	for _, kind := range kinds {
		for _, j := range all {
			n := j.count(kind)
			for _, nth := range slices.Compact([]int{1, (n + 1) / 2, n}) {
				name := fmt.Sprintf("fault/%s/%s:%d", j.name, kind, nth)
				switch {
				case n == 0 || !wanted(name):
				case *only == "" && !time.Now().Before(end):
					missed++
				default:
					j.fault(t, name, fmt.Sprintf("%s:%d", kind, nth))
					faults[kind]++
				}
			}
		}
	}
	t.Logf("faults injected: %v; %d cases had no time", faults, missed)
}

func (j *job) fault(t *testing.T, name, fault string) {
	dir := scratch(t, j)
	defer func() { _ = os.RemoveAll(dir) }()
	end := moncae(dir, strings.Fields(j.args), envFault+"="+fault)
	if end.code != 1 || !strings.Contains(end.reason(), "no space left on device") {
		failed(t, name, "exit code %d: %s", end.code, end.stderr)
		return
	}
	if left := temporary(dir); len(left) > 0 {
		failed(t, name, "left behind: %v", left)
		return
	}
	j.check(t, name, dir)
}
