//go:build unix

package chaos_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestKill kills processes with SIGKILL: at the steps of writing, which a name
// repeats exactly, and every third time at a moment.
func TestKill(t *testing.T) {
	all, end := prepared(t), share(35)
	kills := map[string]int{}
	total, late := 0, 0
	for round := 0; *only != "" && round < 1000 || *only == "" && time.Now().Before(end); round++ {
		for _, j := range all {
			if *only == "" && !time.Now().Before(end) {
				break
			}
			name := fmt.Sprintf("kill/%s/%d", j.name, round)
			if !wanted(name) {
				continue
			}
			killed, ok := j.kill(t, name, round)
			if !killed {
				late++
				continue
			}
			if kills[j.name]++; ok {
				total++
			}
		}
	}
	t.Logf("%d kills survived (%d came after the end), seed %d: %v", total, late, *seed, kills)
}

func (j *job) kill(t *testing.T, name string, round int) (killed, ok bool) {
	r := draws(name)
	dir := scratch(t, j)
	defer func() { _ = os.RemoveAll(dir) }()
	var end result
	if round%3 == 2 {
		cmd, text := process(dir, strings.Fields(j.args))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.Float64() * float64(j.took)))
		_ = cmd.Process.Kill() // it may have ended
		end = ended(cmd, cmd.Wait(), text)
	} else {
		end = moncae(dir, strings.Fields(j.args), fmt.Sprintf("%s=%d", envKill, 1+r.IntN(j.count(""))))
	}
	if end.code >= 0 {
		if end.code != 0 {
			failed(t, name, "not killed, but exit code %d: %s", end.code, end.stderr)
		}
		return false, true
	}
	return true, j.check(t, name, dir)
}

// TestTwice has two processes write one output at once: each ends well, or says in
// a line that another is at work or was first, and what comes out is whole.
func TestTwice(t *testing.T) {
	all, end := prepared(t), share(10)
	pairs, refused := 0, 0
	for round := 0; *only != "" && round < 100 || *only == "" && time.Now().Before(end); round++ {
		for _, j := range all {
			name := fmt.Sprintf("twice/%s/%d", j.name, round)
			if !wanted(name) || *only == "" && !time.Now().Before(end) {
				continue
			}
			pairs++
			refused += j.twice(t, name)
		}
	}
	t.Logf("%d pairs, %d refusals, seed %d", pairs, refused, *seed)
}

func (j *job) twice(t *testing.T, name string) (refused int) {
	dir := scratch(t, j)
	defer func() { _ = os.RemoveAll(dir) }()
	var ends [2]result
	done := make(chan int, 2)
	wait := time.Duration(draws(name).Float64() * float64(j.took) / 2)
	for i := range ends {
		go func() {
			time.Sleep(time.Duration(i) * wait)
			ends[i] = moncae(dir, strings.Fields(j.args))
			done <- i
		}()
	}
	<-done
	<-done
	well := 0
	for _, e := range ends {
		switch {
		case e.code == 0:
			well++
		case e.code == 2 && e.reason() != "":
			refused++
		default:
			failed(t, name, "exit code %d: %s", e.code, e.stderr)
			return refused
		}
	}
	switch {
	case well == 0:
		failed(t, name, "both are refused: %s%s", ends[0].stderr, ends[1].stderr)
	case !same(j.content(dir), j.whole):
		failed(t, name, "what comes out differs: %v", different(j.content(dir), j.whole))
	case len(temporary(dir)) > 0:
		failed(t, name, "left behind: %v", temporary(dir))
	case j.runs:
		sound(t, name, dir, "run")
	}
	return refused
}
