//go:build unix

package chaos_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"moncae/internal/durable"
)

// TestPower lets the power fail after each job's steps up to a random one. Of what
// was written since a file's last sync, each piece is there, torn or lost; of what
// was done to names since a folder's last sync, each change is there or lost, in
// half of the cases none after the first lost one, as on a file system with a
// journal. When all steps are done, everything is there.
func TestPower(t *testing.T) {
	all, end := prepared(t), share(15)
	failures := 0
	for round := 0; *only != "" && round < 10000 || *only == "" && time.Now().Before(end); round++ {
		for _, j := range all {
			name := fmt.Sprintf("power/%s/%d", j.name, round)
			if !wanted(name) || *only == "" && !time.Now().Before(end) {
				continue
			}
			j.power(t, name, round)
			failures++
		}
	}
	t.Logf("%d power failures, seed %d", failures, *seed)
}

func (j *job) power(t *testing.T, name string, round int) {
	r := draws(name)
	steps := slices.DeleteFunc(slices.Clone(j.steps), func(s step) bool { return s.Asked })
	upTo := r.IntN(len(steps) + 1)
	if round == 0 {
		upTo = len(steps)
	}
	dir := scratch(t, j)
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := readDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps[:upTo] {
		d.do(s.Step)
	}
	d.fail(r)
	if err := errors.Join(os.RemoveAll(dir), d.root.write(dir, r)); err != nil {
		t.Fatal(err)
	}
	if round == 0 && !same(j.content(dir), j.whole) {
		failed(t, name, "the command had ended, and this is lost: %v", different(j.content(dir), j.whole))
		return
	}
	j.check(t, name, dir)
}

// TestTheModelLosesWhatIsNotSynced: it is the syncs, and not the model's mildness,
// that TestPower passes by.
func TestTheModelLosesWhatIsNotSynced(t *testing.T) {
	write := func(steps ...durable.Step) (lost int) {
		for n := range 200 {
			d := &disk{root: &inode{now: map[string]*inode{}, kept: map[string]*inode{}}}
			for _, s := range steps {
				d.do(s)
			}
			r := draws(fmt.Sprint("model/", n))
			d.fail(r)
			dir := filepath.Join(t.TempDir(), "disk")
			if err := d.root.write(dir, r); err != nil {
				t.Fatal(err)
			}
			if content, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(content) != "content" {
				lost++
			}
		}
		return lost
	}
	create, content := durable.Step{Kind: "create", Path: "temp"}, durable.Step{Kind: "write", Path: "temp", Data: []byte("content")}
	sync, rename, folder := durable.Step{Kind: "sync", Path: "temp"}, durable.Step{Kind: "rename", Path: "temp", To: "file"}, durable.Step{Kind: "syncdir", Path: "."}
	for name, lost := range map[string]int{
		"no sync":           write(create, content, rename, folder),
		"no sync of a name": write(create, content, sync, rename),
	} {
		if lost < 60 {
			t.Errorf("%s: %d of 200 are lost", name, lost)
		}
	}
	if lost := write(create, content, sync, rename, folder); lost > 0 {
		t.Errorf("with both syncs %d of 200 are lost", lost)
	}
}
