package rundir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

const asidePrefix = "set-aside-" // and a number: folders of a run with what repairs replaced

// Salvage is a damaged run, open for mending: its journal is read as far as it goes.
type Salvage struct {
	*Dir
	// Lost are the lines that are no records, with the number of whole records
	// before each.
	Lost []LostLine
}

// LostLine is a line of a journal that is no record any more.
type LostLine struct {
	Before int
	Line   []byte
}

// OpenSalvage takes a run's lock and reads what is whole. run.json must be: nothing
// else says what the run is about.
func OpenSalvage(path string, fs durable.FS) (*Salvage, error) {
	if err := mustExist(path); err != nil {
		return nil, err
	}
	s := &Salvage{Dir: &Dir{Path: path, fs: fs}}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Salvage) open() (err error) {
	content, err := regular.ReadFile(s.file(ManifestFile)) // which never changes, and without which nothing is touched
	if err != nil {
		return err
	}
	if s.Manifest, err = decodeManifest(s.file(ManifestFile), content); err != nil {
		return fmt.Errorf("%w; it can't be mended: put the original back", err)
	}
	if s.lock, err = takeLock(s.file(LockFile)); err != nil {
		return err
	}
	if err := s.sweep(); err != nil { // a repair may have been killed
		return err
	}
	journal, err := regular.ReadFile(s.file(JournalFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.parse(journal)
	begin := created{Manifest: sum(content)}
	for i, r := range s.records {
		if r.Kind != kindCreated {
			continue
		}
		var c created
		if err := r.Decode(&c); err != nil || i > 0 || c != begin {
			return fault.Damagedf("%s: it is not the one that the journal begins with: put the original back", s.file(ManifestFile))
		}
		return nil
	}
	r, err := newRecord(kindCreated, begin)
	s.records = append([]Record{r}, s.records...)
	for i := range s.Lost {
		s.Lost[i].Before++
	}
	return err
}

// parse keeps whole records in the order in which they stand; a torn end is no loss.
func (s *Salvage) parse(journal []byte) {
	for len(journal) > 0 {
		line, rest, whole := bytes.Cut(journal, []byte("\n"))
		if !whole || len(rest) == 0 && bytes.IndexByte(line, 0) >= 0 {
			if r, err := parseLine(line); err == nil { // its end alone is damaged
				s.records = append(s.records, r)
			}
			return
		}
		if r, err := parseLine(line); err == nil {
			s.records = append(s.records, r)
		} else {
			s.Lost = append(s.Lost, LostLine{len(s.records), line})
		}
		journal = rest
	}
}

// Sound tells why a file is not the one that a record vouches for.
func (s *Salvage) Sound(f File) error {
	_, err := s.checked(f)
	return err
}

// Commit makes records the journal. What was there, and the named files of the run, are
// moved to a new folder in it, whose name it gives: nothing is deleted.
func (s *Salvage) Commit(records []Record, files []string) (aside string, err error) {
	for n := 1; ; n++ {
		aside = fmt.Sprint(asidePrefix, n)
		if _, err := os.Lstat(s.file(aside)); errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err := s.fs.Mkdir(s.file(aside)); err != nil {
		return "", err
	}
	old, err := regular.ReadFile(s.file(JournalFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := s.fs.ReplaceBytes(s.file(aside, JournalFile), old); err != nil {
		return "", err
	}
	for _, name := range files {
		if err := s.move(name, aside); err != nil {
			return "", err
		}
	}
	var journal bytes.Buffer
	for i, r := range records {
		r.Seq = i
		line, err := r.line()
		if err != nil {
			return "", err
		}
		journal.Write(line)
	}
	return aside, s.fs.ReplaceBytes(s.file(JournalFile), journal.Bytes())
}

func (s *Salvage) move(name, aside string) error {
	to := s.file(aside, name)
	if err := s.fs.Mkdir(filepath.Dir(to)); err != nil {
		return err
	}
	if err := s.fs.Move(s.file(name), to); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Front tells whether a record is one of a front.
func (r Record) Front() bool { return r.Kind == kindFront }
