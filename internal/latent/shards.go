package latent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/regular"
)

// ManifestName is the file that makes a folder of shards whole; until then the
// folder has partialName, with the shards so far.
const (
	ManifestName = "_manifest.json"
	partialName  = "_partial.json"
	manifestKind = "moncae.latents"
)

// Manifest lists a folder of shards.
type Manifest struct {
	Format   string            `json:"format"`
	Version  string            `json:"version"`
	Rows     int               `json:"rows"`
	Job      map[string]string `json:"job"`      // what made the shards; equal in every resumption
	Metadata map[string]string `json:"metadata"` // of every shard's schema
	// Fingerprint is that of all images; none before the end.
	Fingerprint string  `json:"fingerprint,omitempty"`
	Shards      []Shard `json:"shards"`
}

// Shard is one file of a folder.
type Shard struct {
	File   string   `json:"file"`
	Rows   int      `json:"rows"`
	IDs    [2]int64 `json:"ids"` // of the first and the last row
	Bytes  int64    `json:"bytes"`
	SHA256 string   `json:"sha256"`
}

// Shards is a folder of shards that is being written.
type Shards struct {
	disk     Disk
	dir      string
	complete bool
	manifest Manifest
	release  func()         // of the folder's lock
	place    *durable.Place // of a folder that replaces one: dir lies in it until the end
}

// Present says what becomes of shards that a folder holds already.
type Present int

// What can become of them.
const (
	Refuse  Present = iota
	Resume          // go on behind the last, where the job is equal
	Replace         // they are there until the new ones are whole; other files stay
)

// CreateShards makes the folder, or goes on in one that is there. It keeps others
// away from it until Close.
func CreateShards(disk Disk, dir string, job map[string]string, present Present) (*Shards, error) {
	s := &Shards{disk: disk, dir: dir, manifest: Manifest{Format: manifestKind, Version: Version, Job: job}}
	if err := disk.Mkdir(dir); err != nil {
		return nil, err
	}
	var err error
	if s.release, err = durable.LockFolder(dir); err != nil {
		return nil, err
	}
	if err := s.open(present); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close lets others write to the folder. What was to replace others, and isn't whole, is
// gone.
func (s *Shards) Close() error {
	defer s.release()
	if s.place == nil {
		return nil
	}
	return s.place.Close()
}

// Replaces tells whether the shards take the place of others, which stay until then.
func (s *Shards) Replaces() bool { return s.place != nil }

// Dir is where the shards are written.
func (s *Shards) Dir() string { return s.dir }

func (s *Shards) open(present Present) error {
	old, complete, err := readManifest(s.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.disk.Sweep(s.dir)
	case present == Replace: // damaged ones, too
		return s.beside()
	case err != nil:
		return err
	}
	if present == Refuse {
		return fault.Usagef("%s holds %d rows of latents: go on with them by --resume, replace them by --overwrite, or name another folder", s.dir, old.Rows)
	}
	if d := difference(old.Job, s.manifest.Job); d != "" {
		return fault.Usagef("%s: --resume: the shards there were made with %s", s.dir, d)
	}
	if err := s.disk.Sweep(s.dir); err != nil {
		return err
	}
	s.manifest, s.complete = old, complete
	if complete { // a crash may have come before this
		if err := s.dropPartial(); err != nil {
			return err
		}
	}
	for _, shard := range old.Shards {
		if err := shard.verify(s.dir); err != nil {
			return err
		}
	}
	return nil
}

// beside has a folder that takes the place of the one that is there when it is whole.
func (s *Shards) beside() (err error) {
	old := s.dir
	if s.place, err = s.disk.Claim(old); err != nil {
		return err
	}
	if s.dir, err = s.place.Folder(); err != nil {
		return err
	}
	return s.keepOthers(old)
}

// keepOthers copies the files of a folder that are no shards and no list of them.
func (s *Shards) keepOthers(old string) error {
	return filepath.WalkDir(old, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(old, path)
		if err != nil || isShards(name) || !e.Type().IsRegular() {
			return err
		}
		return s.place.Write(filepath.ToSlash(name), func(w durable.Writer) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			_, err = io.Copy(w, f)
			return errors.Join(err, f.Close())
		})
	})
}

// isShards tells of a name in a folder of shards whether the package gave it.
func isShards(name string) bool {
	shard, _ := filepath.Match("part-[0-9][0-9][0-9][0-9][0-9].*", name)
	return shard || name == ManifestName || name == partialName || strings.Contains(name, durable.TempMark)
}

// Begun are the metadata of the shards that a folder holds so far; nil without any.
func Begun(dir string) (metadata map[string]string, err error) {
	m, _, err := readManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return m.Metadata, err
}

// difference says in which keys two jobs differ.
func difference(old, now map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(now)) {
		if old[k] != now[k] {
			parts = append(parts, fmt.Sprintf("%s %q, not %q", k, old[k], now[k]))
		}
	}
	return strings.Join(parts, ", ")
}

// Complete tells whether nothing is left to do.
func (s *Shards) Complete() bool { return s.complete }

// Manifest is what the folder holds so far.
func (s *Shards) Manifest() Manifest { return s.manifest }

// Quant is the quantisation of the shards that are there, nil without any.
func (s *Shards) Quant(channels int) (*Quant, error) {
	if s.manifest.Metadata[metakey.Scale] == "" {
		return nil, nil
	}
	get := func(key string) string { return s.manifest.Metadata[key] }
	m := Meta{}
	m.Shape.C = channels
	if err := m.readQuant(get, Int8); err != nil {
		return nil, fault.Damagedf("%s: %w", filepath.Join(s.dir, partialName), err)
	}
	return m.Quant, nil
}

// Write writes the rest of the rows, which src gives, in files of rowsPer rows
// each, and makes the folder whole; fingerprint, where it isn't nil, is asked behind
// the last row. After an error or a crash every whole shard stays, and CreateShards
// with resume goes on behind the last.
func (s *Shards) Write(m Meta, o Options, rowsPer int, src Source, fingerprint func() string) error {
	ahead := &lookahead{src: src, values: m.Shape.Values()}
	for {
		more, err := ahead.more(rowsPer)
		if err != nil {
			return err
		}
		if !more && len(s.manifest.Shards) > 0 {
			break
		}
		shard, err := WriteShard(s.disk, s.dir, len(s.manifest.Shards), m, o, rowsPer, ahead.next)
		if err != nil {
			return err
		}
		if err := s.Add(m, shard); err != nil {
			return err
		}
	}
	text := ""
	if fingerprint != nil {
		text = fingerprint()
	}
	return s.Finish(text)
}

// WriteShard writes the file of the shard with that number, of at most rowsPer rows,
// for a folder of shards that Add adds it to.
func WriteShard(disk Disk, dir string, number int, m Meta, o Options, rowsPer int, src Source) (Shard, error) {
	name := fmt.Sprintf("part-%05d%s", number, o.Format.Extension())
	w, err := writeFile(disk, filepath.Join(dir, name), m, o, rowsPer, src, nil, sha256.New())
	return Shard{name, w.Rows, [2]int64{w.FirstID, w.LastID}, w.Bytes, w.SHA256}, err
}

// Add takes in the next shard, whose file is there.
func (s *Shards) Add(m Meta, shard Shard) error {
	s.manifest.Metadata = m.pairs()
	s.manifest.Shards = append(s.manifest.Shards, shard)
	s.manifest.Rows += shard.Rows
	return s.save(partialName)
}

// Finish makes the folder whole. fingerprint is that of all images, "" for none.
func (s *Shards) Finish(fingerprint string) error {
	s.manifest.Fingerprint = fingerprint
	if err := s.save(ManifestName); err != nil {
		return err
	}
	s.complete = true
	if err := s.dropPartial(); err != nil || s.place == nil {
		return err
	}
	return s.place.Commit()
}

// Sweep removes what processes that were killed left; nobody may be writing.
func (s *Shards) Sweep() error { return s.disk.Sweep(s.dir) }

// dropPartial removes the list that the manifest has replaced, if it is there.
func (s *Shards) dropPartial() error {
	err := s.disk.Remove(filepath.Join(s.dir, partialName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Shards) save(name string) error {
	b, err := json.MarshalIndent(s.manifest, "", "  ")
	if err != nil {
		panic("latent: " + err.Error())
	}
	return s.disk.ReplaceBytes(filepath.Join(s.dir, name), append(b, '\n'))
}

// lookahead tells whether a source has more rows before a file is begun.
type lookahead struct {
	src    Source
	values int
	rows   Rows
}

func (l *lookahead) more(limit int) (bool, error) {
	for l.rows.Len() == 0 {
		rows, err := l.src(limit)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		l.rows = rows
	}
	return true, nil
}

func (l *lookahead) next(limit int) (Rows, error) {
	if l.rows.Len() == 0 {
		return l.src(limit)
	}
	n := l.rows.Len()
	if limit > 0 {
		n = min(n, limit)
	}
	head := l.rows.Slice(0, n, l.values)
	l.rows = l.rows.Slice(n, l.rows.Len(), l.values)
	return head, nil
}

// readManifest reads a folder's list of shards and tells whether it is whole;
// os.ErrNotExist where there is none.
func readManifest(dir string) (m Manifest, complete bool, err error) {
	path := filepath.Join(dir, ManifestName)
	b, err := regular.ReadFile(path)
	if complete = err == nil; errors.Is(err, os.ErrNotExist) {
		path = filepath.Join(dir, partialName)
		b, err = regular.ReadFile(path)
	}
	if err != nil {
		return m, false, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, false, fault.Damagedf("%s: %w", path, err)
	}
	if m.Format != manifestKind || m.Version != Version {
		return m, false, fault.Damagedf("%s: format %.40q version %.20q, wanted is %q version %q",
			path, m.Format, m.Version, manifestKind, Version)
	}
	rows := 0
	for i, s := range m.Shards {
		if s.File != filepath.Base(s.File) || s.Rows < 0 {
			return m, false, fault.Damagedf("%s: shards[%d]: file %.80q with %d rows", path, i, s.File, s.Rows)
		}
		rows += s.Rows
	}
	if rows != m.Rows {
		return m, false, fault.Damagedf("%s: rows is %d, the shards' sum is %d", path, m.Rows, rows)
	}
	return m, complete, nil
}

// verify holds the shard's file against its size and SHA-256.
func (s Shard) verify(dir string) error {
	path := filepath.Join(dir, s.File)
	f, err := regular.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return fault.Damagedf("a shard of %s is missing: %w", dir, err)
	}
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n != s.Bytes {
		return fault.Damagedf("%s: %d bytes, %s says %d", path, n, ManifestName, s.Bytes)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != s.SHA256 {
		return fault.Damagedf("%s: its SHA-256 is %s, %s says %s", path, got, ManifestName, s.SHA256)
	}
	return nil
}
