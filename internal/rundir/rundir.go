// Package rundir keeps a search's run on disk so that a crash at any moment
// loses at most the work since the last record, and never a file's sense.
//
//	run.json                  what was asked: configuration, seed, data, split, reference (Manifest)
//	journal.jsonl             what happened, one checksummed record a line
//	candidates/<id>/          arch.json, weights.safetensors, finetuned.safetensors
//	front.json                the front as of the last finished generation
//	classify/<n>.json         what classify measured at the n-th opening of test data
//	lock                      who is writing
//
// Files are replaced whole (internal/durable). A record is on the disk when
// Append returns, after the files that it names. The formats are described in
// docs/format. Damage is an error of the kind fault.Damaged that names the file,
// the line and the byte; a torn end, which a crash leaves, is not damage.
//
// Costs: an Append is one fsync, which those that come at the same time share; Open and Read take the journal's size in memory.
package rundir

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

// The files of a run.
const (
	ManifestFile  = "run.json"
	JournalFile   = "journal.jsonl"
	FrontFile     = "front.json"
	LockFile      = "lock"
	ImagesFile    = "data.npz" // of a search on arrays, whose caller keeps them here
	CandidatesDir = "candidates"
	ExportDir     = "export"
)

// Dir is a run's folder, open for writing by one process or for reading.
type Dir struct {
	Path     string
	Manifest Manifest
	fs       durable.FS
	records  []Record
	torn     int64        // bytes behind the last whole record
	log      *durable.Log // nil when reading
	group    durable.Group[*pending]
	lock     *lock // nil when reading
}

// DataName is where the run's data set is, as --data takes it: the file of images that
// lies in the run, else the path or the name that the search was given.
func (d *Dir) DataName() string {
	kept, err := filepath.Abs(d.file(ImagesFile))
	if err != nil {
		kept = d.file(ImagesFile)
	}
	if info, err := os.Stat(kept); err == nil && info.Mode().IsRegular() {
		return kept
	}
	return cmp.Or(d.Manifest.Data.Source, d.Manifest.Data.Name)
}

// Exists tells whether path holds a run.
func Exists(path string) bool {
	_, err := os.Stat(filepath.Join(path, ManifestFile))
	return err == nil
}

// Create makes a run's folder. A folder that holds anything already is refused.
func Create(path string, m Manifest, fs durable.FS) (*Dir, error) {
	if Exists(path) {
		return nil, fault.Usagef("%s holds a run already: continue it with --resume, or name another folder", path)
	}
	if err := mustBeEmpty(path); err != nil {
		return nil, err
	}
	if err := fs.Mkdir(path); err != nil {
		return nil, err
	}
	d := writer(path, fs)
	return opened(d, d.create(m))
}

func writer(path string, fs durable.FS) *Dir {
	d := &Dir{Path: path, fs: fs}
	d.group.Commit = d.commit
	return d
}

func (d *Dir) create(m Manifest) (err error) {
	if d.lock, err = takeLock(d.file(LockFile)); err != nil {
		return err
	}
	if err := d.fs.Sweep(d.Path); err != nil { // a Create that was killed
		return err
	}
	m.Format, m.Version = ManifestFormat, ManifestVersion
	content, err := m.encode()
	if err != nil {
		return err
	}
	if d.Manifest, err = decodeManifest(d.file(ManifestFile), content); err != nil {
		return err
	}
	if err := d.fs.OwnFolder(d.file(CandidatesDir)); err != nil {
		return err
	}
	if d.log, err = d.fs.OpenLog(d.file(JournalFile), 0); err != nil {
		return err
	}
	// The manifest comes before the first record, which holds its hash: a folder
	// without run.json is no run yet, and may be created anew.
	if err := d.fs.ReplaceBytes(d.file(ManifestFile), content); err != nil {
		return err
	}
	return d.Append(kindCreated, created{Manifest: sum(content)})
}

// mustBeEmpty accepts what an interrupted Create leaves behind.
func mustBeEmpty(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Usagef("the run's folder: %w", err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == LockFile, name == JournalFile, name == CandidatesDir, strings.Contains(name, durable.TempMark):
		default:
			return fault.Usagef("%s is not empty (it holds %s), and is not a run: name another folder", path, name)
		}
	}
	return nil
}

// Open opens a run for writing: it takes the lock, reads the journal, cuts off a
// torn last record and removes temporary files.
func Open(path string, fs durable.FS) (*Dir, error) {
	if err := mustExist(path); err != nil {
		return nil, err
	}
	d := writer(path, fs)
	return opened(d, d.open())
}

func (d *Dir) open() (err error) {
	if d.lock, err = takeLock(d.file(LockFile)); err != nil {
		return err
	}
	size, err := d.read()
	if err != nil {
		return err
	}
	if err := d.fs.OwnFolder(d.file(CandidatesDir)); err != nil {
		return err
	}
	if err := d.sweep(); err != nil {
		return err
	}
	if d.log, err = d.fs.OpenLog(d.file(JournalFile), size); err != nil {
		return err
	}
	if len(d.records) > 0 {
		return nil
	}
	content, err := regular.ReadFile(d.file(ManifestFile)) // Create was interrupted before its first record
	if err != nil {
		return err
	}
	return d.Append(kindCreated, created{Manifest: sum(content)})
}

// glob are the names in the run that a pattern fits, with slashes. What stands in the
// run's own path is no pattern.
func (d *Dir) glob(pattern string) ([]string, error) { return fs.Glob(os.DirFS(d.Path), pattern) }

// sweep removes the temporary files that killed processes left in the run.
func (d *Dir) sweep() error {
	candidates, err := os.ReadDir(d.file(CandidatesDir))
	if err != nil {
		return err
	}
	folders := []string{d.Path}
	if _, err := os.Stat(d.file(ClassifyDir)); err == nil {
		folders = append(folders, d.file(ClassifyDir))
	}
	for _, c := range candidates {
		if c.IsDir() {
			folders = append(folders, d.file(CandidatesDir, c.Name()))
		}
	}
	aside, err := d.glob(asidePrefix + "*")
	if err != nil {
		return err
	}
	for _, name := range aside {
		if info, err := os.Lstat(d.file(name)); err == nil && info.IsDir() {
			folders = append(folders, d.file(name))
		}
	}
	for _, dir := range folders {
		if err := d.fs.Sweep(dir); err != nil {
			return err
		}
	}
	return nil
}

// Read opens a run for reading, beside a process that may be writing it.
func Read(path string) (*Dir, error) {
	if err := mustExist(path); err != nil {
		return nil, err
	}
	d := &Dir{Path: path}
	if _, err := d.read(); err != nil {
		return nil, err
	}
	return d, nil
}

func mustExist(path string) error {
	if !Exists(path) {
		return fault.Usagef("%s is not a run: it has no %s", path, ManifestFile)
	}
	return nil
}

// read loads manifest and journal, and gives the length of the journal's whole records.
func (d *Dir) read() (size int64, err error) {
	content, err := regular.ReadFile(d.file(ManifestFile))
	if err != nil {
		return 0, err
	}
	if d.Manifest, err = decodeManifest(d.file(ManifestFile), content); err != nil {
		return 0, err
	}
	if d.records, size, d.torn, err = readJournal(d.file(JournalFile)); err != nil {
		return 0, err
	}
	if len(d.records) == 0 {
		return size, d.mustBeNew()
	}
	var c created
	if err := d.records[0].Decode(&c); err != nil || d.records[0].Kind != kindCreated {
		return 0, fault.Damagedf("%s: line 1: it is %q where a run begins with %q", d.file(JournalFile), d.records[0].Kind, kindCreated)
	}
	if got := sum(content); got != c.Manifest {
		return 0, fault.Damagedf("%s: its SHA-256 is %s, the journal has %s: the file was changed after the run began; put the original back",
			d.file(ManifestFile), got, c.Manifest)
	}
	return size, nil
}

// mustBeNew refuses a run without records that has candidates: the first record
// was on the disk before them.
func (d *Dir) mustBeNew() error {
	entries, err := os.ReadDir(d.file(CandidatesDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fault.Damagedf("%s: it has no record, although %s has candidates: put a copy back, or have `%s` begin the run anew in its place",
			d.file(JournalFile), d.file(CandidatesDir), repairWith(d.Path))
	}
	return nil
}

func (d *Dir) file(parts ...string) string {
	return filepath.Join(append([]string{d.Path}, parts...)...)
}

func opened(d *Dir, err error) (*Dir, error) {
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close gives the lock back.
func (d *Dir) Close() error {
	var errs []error
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.release())
	}
	d.log, d.lock = nil, nil
	return errors.Join(errs...)
}

// Records are the journal's records in order, those appended since too, while nobody
// appends. The slice is the Dir's own.
func (d *Dir) Records() []Record { return d.records }

// Append adds a record to the journal and returns when it is on the disk. Records of
// several goroutines share a sync.
func (d *Dir) Append(kind string, data any) error { return d.AppendThen(kind, data, func() {}) }

// AppendThen is Append that calls then when the record is on the disk, in the order of
// the journal and one at a time. then appends nothing.
func (d *Dir) AppendThen(kind string, data any, then func()) error {
	r, err := newRecord(kind, data)
	if err != nil {
		return err
	}
	return d.group.Keep(&pending{r, then})
}

// pending is a record that waits for its place in the journal.
type pending struct {
	Record
	then func()
}

// commit writes records at once.
func (d *Dir) commit(all []*pending) error {
	begin := len(d.records)
	var lines []byte
	for i, p := range all {
		p.Seq = begin + i
		if len(all) > 1 {
			p.Group = &begin
		}
		line, err := p.line()
		if err != nil {
			return err
		}
		lines = append(lines, line...)
	}
	if err := d.log.Append(lines); err != nil {
		return err
	}
	for _, p := range all {
		d.records = append(d.records, p.Record)
		p.then()
	}
	return nil
}
