//go:build linux

package chaos_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWorkers disturbs every task of a search and of a compression by workers once,
// whose worker is killed, crashes, hangs, ends, or prints garbage at a moment of its own,
// and kills some of the coordinators: in the end everything is as by one undisturbed process.
func TestWorkers(t *testing.T) {
	all, end := prepared(t), share(10)
	happened, killed := map[string]int{}, 0
	for round := 0; *only != "" && round < 1000 || *only == "" && (round == 0 || time.Now().Before(end)); round++ {
		for _, j := range all {
			name := fmt.Sprintf("workers/%s/%d", j.name, round)
			if j.workers != "" && wanted(name) {
				killed += j.byWorkers(t, name, round%2 == 1, happened)
			}
		}
	}
	t.Logf("workers ended by %v, %d coordinators killed, seed %d", happened, killed, *seed)
}

func (j *job) byWorkers(t *testing.T, name string, kill bool, happened map[string]int) (killed int) {
	r := draws(name)
	dir := scratch(t, j)
	defer func() { _ = os.RemoveAll(dir) }()
	marks := t.TempDir()
	env := fmt.Sprintf("%s=%d:%s", envPlant, r.Uint64(), marks)
	args, ended := j.args, false
	for kill && killed < 5 && !ended {
		cmd, text := process(dir, strings.Fields(args+j.workers), env)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(time.Duration(r.Float64()*float64(4*time.Second)), func() { _ = cmd.Process.Kill() }) // it may have ended
		err := cmd.Wait()
		end.Stop()
		if ended = err == nil; ended {
			continue
		}
		if cmd.ProcessState.ExitCode() >= 0 {
			failed(t, name, "exit code %d: %s", cmd.ProcessState.ExitCode(), text)
			return killed
		}
		killed++
		if left := orphans(dir); len(left) > 0 {
			failed(t, name, "workers outlive their coordinator: %v", left)
			return killed
		}
		args = j.goOn(dir)
	}
	if !ended {
		if e := moncae(dir, strings.Fields(args+j.workers), env); e.code != 0 {
			failed(t, name, "exit code %d: %s", e.code, e.stderr)
			return killed
		}
	}
	if now := j.content(dir); !same(now, j.whole) {
		journal, _ := os.ReadFile(filepath.Join(dir, "r", "journal.jsonl"))
		failed(t, name, "not as in one process: %v\n%s", different(now, j.whole), failures(journal))
	}
	if left := orphans(dir); len(left) > 0 {
		failed(t, name, "workers outlive their coordinator: %v", left)
	}
	if left := temporary(dir); len(left) > 0 {
		failed(t, name, "left behind: %v", left)
	}
	marked, err := filepath.Glob(filepath.Join(marks, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range marked {
		happened[m[strings.LastIndexByte(m, '-')+1:]]++
	}
	return killed
}

// failures are the records of candidates that failed.
func failures(journal []byte) string {
	var lines []string
	for line := range bytes.Lines(journal) {
		if bytes.Contains(line, []byte(`"failure"`)) {
			lines = append(lines, string(line))
		}
	}
	return strings.Join(lines, "")
}

// orphans are the processes that work in dir, after they had some time to end.
func orphans(dir string) (left []int) {
	for range 30 {
		left = nil
		all, _ := filepath.Glob("/proc/[0-9]*/cwd")
		for _, link := range all {
			if to, err := os.Readlink(link); err == nil && to == dir {
				pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
				left = append(left, pid)
			}
		}
		if slices.Sort(left); len(left) == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left
}
