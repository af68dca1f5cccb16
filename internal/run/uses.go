package run

import (
	"fmt"
	"path/filepath"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// TestUses counts uses of a run's test data by what a run's encoder made.
type TestUses struct {
	id, path string // path is "" where the run's folder isn't known
	data     rundir.Data
}

// UsesOf finds the run that models or latents say they come from, id: in folder,
// which must hold that run, or, where folder is "", above one of the files near.
func UsesOf(id, folder string, near ...string) (TestUses, error) {
	u := TestUses{id: id}
	if folder != "" {
		dir, err := rundir.Read(folder)
		if err != nil {
			return u, err
		}
		switch m := dir.Manifest; {
		case id == "":
			return u, fault.Usagef("--run %s: the encoder is of no run, so there is none to count its uses of test data in: leave --run away", folder)
		case id != m.Run:
			return u, fault.Usagef("--run %s is run %s; the encoder is of run %s: name the folder of that", folder, m.Run, id)
		}
		u.path, u.data = folder, dir.Manifest.Data
		return u, nil
	}
	for _, file := range near {
		path, err := above(file)
		if err != nil || path == "" || id == "" {
			continue
		}
		if dir, err := rundir.Read(path); err != nil {
			return u, err
		} else if dir.Manifest.Run == id {
			u.path, u.data = path, dir.Manifest.Data
			return u, nil
		}
	}
	return u, nil
}

// above is the nearest folder above a file that holds a run, "" without one.
func above(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	at, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	for dir := filepath.Dir(at); dir != at; at, dir = dir, filepath.Dir(dir) {
		if rundir.Exists(dir) {
			return dir, nil
		}
	}
	return "", nil
}

// Use is a use of images: by a command, of a split ("" where it isn't known) of the
// data set with a name, which lies at Source.
type Use struct {
	By, Split, Name, Source string
	SetApart                float64 // the share that the split is, where it is set apart; otherwise 0
}

// Count notes a use in the run if it is one of the run's test data, and gives how
// often these were used, this time included. Where it can't be noted, openings is
// nil, and why says so in a sentence; for other images, and where there is no run,
// why is "".
func (u TestUses) Count(use Use, fs durable.FS) (openings *int, why string, err error) {
	if u.id == "" || use.Split == "train" || use.Split == "val" {
		return nil, "", nil
	}
	if u.path == "" {
		return nil, fmt.Sprintf("this use of test images is not counted: the folder of run %s isn't known (--run names it)", u.id), nil
	}
	if use.Name != u.data.Name && (use.Source == "" || use.Source != u.data.Source) {
		return nil, fmt.Sprintf("this use of test images is not counted: %s is not the data set of run %s, %s", use.Name, u.id, u.data.Name), nil
	}
	if share := u.data.TestFraction; use.Source == u.data.Source && use.SetApart != share && use.SetApart*share > 0 {
		return nil, "", fault.Usagef("the encoder's run set %v of these images apart for tests, and trained on the others: with --test-fraction %v they would be tested on; leave it away", share, use.SetApart)
	}
	n, err := rundir.NoteTest(u.path, use.By, fs)
	if err != nil {
		return nil, "", fmt.Errorf("test images are used, and the encoder's run can't note that: %w", err)
	}
	return &n, "", nil
}

// TimesInWords counts openings of test data in words.
func TimesInWords(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
