//go:build unix

package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
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
	all, end := faults(prepared(t)), share(30)
	done, missed, late := map[string]int{}, 0, 0
	for _, f := range all {
		name := fmt.Sprintf("fault/%s/%s:%d", f.name, f.kind, f.nth)
		switch {
		case !wanted(name):
		case *only == "" && !time.Now().Before(end):
			missed++
		default:
			if !f.fault(t, name) {
				late++
				continue
			}
			done[f.kind]++
		}
	}
	t.Logf("faults injected: %v; %d came after the end, %d cases had no time, seed %d", done, late, missed, *seed)
}

// injection is a step of a job that fails.
type injection struct {
	*job
	kind string
	nth  int
}

// faults are all cases, in an order that the seed makes.
func faults(jobs []*job) (all []injection) {
	for _, kind := range kinds {
		for _, j := range jobs {
			n := j.count(kind)
			for _, nth := range slices.Compact([]int{1, (n + 1) / 2, n}) {
				if n > 0 {
					all = append(all, injection{j, kind, nth})
				}
			}
		}
	}
	draws("faults").Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

// fault makes the step fail. Records that come together share a step, so a process
// may make fewer steps than the one that was counted; the last one that it made then
// fails in another one. It is false where three processes ended before their step.
func (f injection) fault(t *testing.T, name string) bool {
	for tries := 0; tries < 3 && f.nth > 0; tries++ {
		steps, before := f.try(t, name)
		if !before {
			return true
		}
		f.nth = steps
	}
	return false
}

// try is one try, and tells whether the process ended before the step, and after how
// many of the kind.
func (f injection) try(t *testing.T, name string) (steps int, before bool) {
	dir := scratch(t, f.job)
	defer func() { _ = os.RemoveAll(dir) }()
	trace := filepath.Join(fixtures.dir, "trace")
	end := moncae(dir, strings.Fields(f.args), fmt.Sprintf("%s=%s:%d", envFault, f.kind, f.nth), envTrace+"="+trace)
	did, err := readTrace(trace)
	if err != nil {
		t.Fatal(err)
	}
	steps = count(did, f.kind)
	if end.code == 0 && steps < f.nth {
		return steps, true
	}
	if end.code != 1 || !strings.Contains(end.reason(), "no space left on device") {
		failed(t, name, "exit code %d: %s", end.code, end.stderr)
		return steps, false
	}
	if left := temporary(dir); len(left) > 0 {
		failed(t, name, "left behind: %v", left)
		return steps, false
	}
	f.check(t, name, dir)
	return steps, false
}
