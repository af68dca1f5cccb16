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
	all, end := faults(prepared(t)), share(30)
	done, missed := map[string]int{}, 0
	for _, f := range all {
		name := fmt.Sprintf("fault/%s/%s:%d", f.name, f.kind, f.nth)
		switch {
		case !wanted(name):
		case *only == "" && !time.Now().Before(end):
			missed++
		default:
			f.fault(t, name, fmt.Sprintf("%s:%d", f.kind, f.nth))
			done[f.kind]++
		}
	}
	t.Logf("faults injected: %v; %d cases had no time, seed %d", done, missed, *seed)
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
