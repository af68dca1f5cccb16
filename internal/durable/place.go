package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"moncae/internal/fault"
)

// Place is where a folder, or one file, will be. Until Commit what is written lies
// beside it, in a hidden folder whose lock keeps a second writer away. A call that
// was killed leaves that folder, which the next Claim of the place takes over.
type Place struct {
	fs      FS
	path    string
	temp    string
	release func()

	mu      sync.Mutex
	folders []string // that were made
	file    bool     // it is a file
}

// Claim keeps the place for this process, until Close. Its parent must be there.
func (fs FS) Claim(path string) (*Place, error) {
	path = filepath.Clean(path)
	p := &Place{fs: fs, path: path, temp: filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+TempMark+placeEnd)}
	for {
		err := p.claim()
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
}

// placeEnd ends the name of a place's hidden folder.
const placeEnd = "place"

var errAgain = errors.New("the folder was removed meanwhile")

func (p *Place) claim() error {
	made := p.fs.mkdir(p.temp, p.path)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return unwritable(made, p.path)
	}
	f, err := os.OpenFile(p.temp, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return errAgain
	}
	if err != nil {
		return err
	}
	p.release = func() { _ = f.Close() } // nothing was written through it
	if err := p.lock(f, made != nil); err != nil {
		p.release()
		return err
	}
	if made != nil {
		return p.takeOver()
	}
	return nil
}

// lock locks the temporary folder, which may be another process's.
func (p *Place) lock(f *os.File, found bool) error {
	err := tryStale(f)
	switch {
	case errors.Is(err, ErrHeld):
		return fault.Usagef("%s is being written by another process: wait for it, or name another place", p.path)
	case err != nil && found: // there are no locks here
		return fault.Usagef("%s is being written, or a process was killed at it: if none is at work, remove %s", p.path, p.temp)
	case err != nil:
		return nil
	}
	if err := stillNamed(f); !errors.Is(err, ErrHeld) {
		return err
	}
	return errAgain
}

// takeOver puts back what a killed Commit took away, and empties the folder.
func (p *Place) takeOver() (err error) {
	if _, lerr := os.Lstat(p.path); errors.Is(lerr, fs.ErrNotExist) {
		err = ignoreMissing(os.Rename(p.old(), p.path))
	}
	if err == nil {
		err = errors.Join(p.fs.discard(p.content()), p.fs.discard(p.old()))
	}
	if err != nil {
		p.release()
	}
	return err
}

func (p *Place) content() string { return filepath.Join(p.temp, "new") }
func (p *Place) old() string     { return filepath.Join(p.temp, "old") }

// Folder makes the place a folder, and is where its files lie until Commit, for writers
// that name them themselves. What it holds must be on the disk by then.
func (p *Place) Folder() (string, error) { return p.content(), p.folder(p.content()) }

// Write makes the file name, with slashes, in the folder, and the folders on the way
// to it; or, where name is empty, the place as a file. fs.ErrExist says that it was
// made before. Several goroutines may write files at once.
func (p *Place) Write(name string, write func(Writer) error) error {
	at, target := p.content(), p.path
	if name == "" {
		p.file = true
	} else {
		at, target = filepath.Join(at, filepath.FromSlash(name)), filepath.Join(target, filepath.FromSlash(name))
		if err := p.folder(filepath.Dir(at)); err != nil {
			return err
		}
	}
	if err := p.fs.fault("create", target); err != nil {
		return err
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return named(err, target)
	}
	p.fs.trace(Step{Kind: "create", Path: at})
	return (&file{fs: p.fs, f: f, path: target}).fill(write)
}

// WriteBytes is Write for content at hand.
func (p *Place) WriteBytes(name string, content []byte) error { return p.Write(name, whole(content)) }

// folder makes a folder below the temporary one.
func (p *Place) folder(dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.makeFolder(dir)
}

func (p *Place) makeFolder(dir string) error {
	if dir == p.temp || isFolder(dir) {
		return nil
	}
	if err := p.makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := p.fs.mkdir(dir, p.path); err != nil {
		return named(err, p.path)
	}
	p.folders = append(p.folders, dir)
	return nil
}

// Commit puts what was written in the place of what is there, if anything is. Where
// the system can exchange two names, the place is never empty.
func (p *Place) Commit() error {
	return p.commit(func() error {
		if _, err := os.Lstat(p.path); errors.Is(err, fs.ErrNotExist) {
			return p.fs.rename(p.content(), p.path)
		}
		if err := p.fs.fault("exchange", p.path); err != nil {
			return err
		}
		err := p.fs.did(Step{Kind: "exchange", Path: p.content(), To: p.path}, exchange(p.content(), p.path))
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if err := p.fs.rename(p.path, p.old()); err != nil {
			return err
		}
		if err := p.fs.rename(p.content(), p.path); err != nil {
			return errors.Join(err, os.Rename(p.old(), p.path))
		}
		return nil
	})
}

// CommitNew is Commit for a place where nothing is, or an empty folder; anything
// else is left as it is.
func (p *Place) CommitNew() error {
	return p.commit(func() error {
		if err := p.fs.fault("rename", p.path); err != nil {
			return err
		}
		err := p.fs.did(Step{Kind: "rename", Path: p.content(), To: p.path}, renameNew(p.content(), p.path))
		if errors.Is(err, fs.ErrExist) {
			return fault.Usagef("%s is there already: name a new place, or move it away", p.path)
		}
		return err
	})
}

func (p *Place) commit(move func() error) error {
	if !p.file {
		if err := p.folder(p.content()); err != nil {
			return err
		}
	}
	for _, dir := range p.folders {
		if err := p.fs.syncDir(dir, p.path); err != nil {
			return err
		}
	}
	if err := move(); err != nil {
		return err
	}
	return p.fs.SyncDir(filepath.Dir(p.path))
}

// Close gives the place up, and removes what was not committed or was replaced.
func (p *Place) Close() error {
	if p.release == nil {
		return nil
	}
	err := p.fs.discard(p.temp)
	p.release()
	p.release = nil
	return err
}

// LockFolder keeps a folder that is written to for this process until release is
// called. Where the file system has no locks it trusts the user.
func LockFolder(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	release = func() { _ = f.Close() } // nothing was written through it
	if err := TryLock(f); errors.Is(err, ErrHeld) {
		release()
		return nil, fault.Usagef("%s is being written by another process: wait for it, or name another folder", dir)
	}
	return release, nil
}
