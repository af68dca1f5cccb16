package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

// grouped is a journal of three records that were written alone and four of a group;
// begins are where they begin.
func grouped(t *testing.T) (content []byte, begins []int) {
	t.Helper()
	path := mustRun(t)
	file := filepath.Join(path, JournalFile)
	d, err := Open(path, durable.FS{})
	if err != nil {
		t.Fatal(err)
	}
	var all []*pending
	for range 4 {
		r, err := newRecord("note", strings.Repeat("x", 300))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &pending{r, func() {}})
	}
	if err := errors.Join(d.group.Commit(all), d.Close()); err != nil {
		t.Fatal(err)
	}
	if content, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	for at, b := 0, content; len(b) > 0; {
		begins = append(begins, at)
		n := slices.Index(b, '\n') + 1
		at, b = at+n, b[n:]
	}
	return content, begins
}

// Whatever pieces of a group a power failure loses, what was written before is there,
// and the group as far as it is whole.
func TestTornGroups(t *testing.T) {
	whole, begins := grouped(t)
	first := len(begins) - 4
	const piece = 128
	pieces := (len(whole) - begins[first] + piece - 1) / piece
	for lost := 1; lost < 1<<pieces; lost += 1 + lost/64 {
		torn := slices.Clone(whole)
		left := len(whole)
		for p := range pieces {
			if lost>>p&1 == 1 {
				from := begins[first] + p*piece
				clear(torn[from:min(from+piece, len(torn))])
				left = min(left, from)
			}
		}
		want, _ := slices.BinarySearch(begins, left+1)
		records, size, err := parseJournal("journal", torn)
		if err != nil || len(records) != want-1 || int(size) != begins[want-1] {
			t.Fatalf("pieces %b lost: %d records in %d bytes, want %d: %v", lost, len(records), size, want-1, err)
		}
	}
}

// What was written before a group, and what is behind one, is no part of it.
func TestDamageBesideAGroup(t *testing.T) {
	whole, begins := grouped(t)
	changed := slices.Clone(whole)
	clear(changed[begins[1]+5 : begins[1]+9])
	if _, _, err := parseJournal("journal", changed); fault.Of(err) != fault.Damaged {
		t.Errorf("zeros before a group: %v", err)
	}
	last, err := Record{Seq: len(begins), Kind: "note", Data: []byte("1")}.line()
	if err != nil {
		t.Fatal(err)
	}
	changed = append(slices.Clone(whole), last...)
	clear(changed[begins[len(begins)-2]+5 : begins[len(begins)-2]+9])
	if _, _, err := parseJournal("journal", changed); fault.Of(err) != fault.Damaged {
		t.Errorf("zeros in a group that another record follows: %v", err)
	}
	changed = slices.Clone(whole)
	changed[begins[len(begins)-2]+5] ^= 1
	if _, _, err := parseJournal("journal", changed); fault.Of(err) != fault.Damaged {
		t.Errorf("a bit in a group: %v", err)
	}
}

// Appends of several goroutines are in the journal and told of in one order, whatever
// fails; those that failed are not there.
func TestAppendsTogether(t *testing.T) {
	path := mustRun(t)
	var steps atomic.Int64
	full := errors.New("no space left on device")
	d, err := Open(path, durable.FS{Fault: func(step, _ string) error {
		if n := steps.Add(1); step != "truncate" && n%5 == 0 {
			return full
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	before := len(d.Records())
	var told, failed []int
	var mu sync.Mutex
	var wait sync.WaitGroup
	for n := range 400 {
		wait.Go(func() {
			err := d.AppendThen("note", n, func() { told = append(told, n) })
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, full) {
				failed = append(failed, n)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err = Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept []int
	for _, r := range d.Records()[before:] {
		var n int
		if err := r.Decode(&n); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, n)
	}
	if !slices.Equal(kept, told) {
		t.Error("the journal's order is not the one that was told")
	}
	all := slices.Concat(kept, failed)
	if slices.Sort(all); len(all) != 400 || len(slices.Compact(all)) != 400 || len(failed) == 0 {
		t.Errorf("%d records are there, %d failed", len(kept), len(failed))
	}
}
