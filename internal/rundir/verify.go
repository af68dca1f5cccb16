package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"os"
	"slices"

	"moncae/internal/certificate"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

// Health is what Verify found.
type Health struct {
	Run     string `json:"run"`
	Records int    `json:"records"`
	Files   int    `json:"files"` // checked against their hashes
	Exports int    `json:"exports"`
	Torn    int64  `json:"torn"` // bytes after the last whole record: a crash's, cut by the next --resume
}

// Verify checks every checksum and hash of a run and of the exports in it, without
// changing anything, beside a process that may be at work on it. The error joins the
// damage that it found, of much the first.
func Verify(path string) (Health, error) {
	d, err := Read(path)
	if err != nil {
		return Health{}, err
	}
	h := Health{Run: d.Manifest.Run, Records: len(d.records), Torn: d.torn}
	var damage []error
	for _, f := range d.vouched() {
		h.Files++
		if _, err := d.checked(f); err != nil {
			damage = append(damage, err)
		}
	}
	if len(damage) > 0 {
		damage = []error{some(damage), fault.Damagedf("`%s` leaves out what is damaged, for search --resume to make again", repairWith(path))}
	}
	_, there, err := d.Front()
	if there || err != nil {
		h.Files++
	}
	return h, errors.Join(append(damage, err, d.verifyCheckpoints(&h), d.verifyExports(&h))...)
}

// mostTold is how many of a run's damaged files are told.
const mostTold = 3

// some are the errors, of many the first and how many there are beside.
func some(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if n := len(errs) - mostTold; n > 0 {
		errs = append(errs[:mostTold:mostTold], fault.Damagedf("… and %d more", n))
	}
	return errors.Join(errs...)
}

func (d *Dir) verifyExports(h *Health) error {
	entries, err := os.ReadDir(d.file(ExportDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	damage := []error{err}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		n, err := certificate.Folder(d.file(ExportDir, e.Name()))
		h.Exports += min(n, 1)
		h.Files += n
		damage = append(damage, err)
	}
	return some(damage)
}

// vouched are the candidates' files that records name: any object in a record's
// data with path and sha256. Of two records for one path the later counts.
func (d *Dir) vouched() []File {
	var order []string
	latest := map[string]File{}
	for _, r := range d.records {
		if r.Kind == kindFront {
			continue
		}
		walkFiles(r.Data, func(f File) {
			if _, ok := latest[f.Path]; !ok {
				order = append(order, f.Path)
			}
			latest[f.Path] = f
		})
	}
	files := make([]File, 0, len(order))
	for _, path := range order {
		files = append(files, latest[path])
	}
	return files
}

func walkFiles(raw json.RawMessage, visit func(File)) {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(raw, &object) == nil:
		var f File
		if json.Unmarshal(raw, &f) == nil && f.Path != "" && f.SHA256 != "" {
			visit(f)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			walkFiles(object[key], visit)
		}
	case json.Unmarshal(raw, &list) == nil:
		for _, v := range list {
			walkFiles(v, visit)
		}
	}
}

// fronts are the SHA-256 of all fronts so far.
func (d *Dir) fronts() (all []string, err error) {
	for _, r := range d.records {
		if r.Kind == kindFront {
			var f File
			if err := r.Decode(&f); err != nil {
				return nil, err
			}
			all = append(all, f.SHA256)
		}
	}
	return all, nil
}

// Front reads front.json; ok is false where no generation has finished. The file
// follows its record, so it is that of the last one or of the one before; or of one
// that came since the journal was read, which is read again then.
func (d *Dir) Front() (content []byte, ok bool, err error) {
	before, err := d.fronts()
	if err != nil {
		return nil, false, err
	}
	content, err = regular.ReadFile(d.file(FrontFile))
	if errors.Is(err, os.ErrNotExist) {
		if len(before) > 1 {
			return nil, false, fault.Damagedf("%s: missing: the next --resume writes it anew", d.file(FrontFile))
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	got, after := sum(content), before
	if !slices.Contains(after, got) {
		now := &Dir{Path: d.Path}
		if _, err := now.read(); err != nil {
			return nil, false, err
		}
		if after, err = now.fronts(); err != nil {
			return nil, false, err
		}
	}
	if !slices.Contains(after[min(max(0, len(before)-2), len(after)):], got) {
		return nil, false, fault.Damagedf("%s: its SHA-256 is %s, which is not the journal's: the next --resume writes it anew", d.file(FrontFile), got)
	}
	return content, true, nil
}

type hasher struct{ hash.Hash }

func newHasher() hasher { return hasher{sha256.New()} }

func (h hasher) hex() string { return hex.EncodeToString(h.Sum(nil)) }

// String is one line for a person.
func (h Health) String() string {
	s := fmt.Sprintf("run %s: %d records, %d files, %d exports, all sound", h.Run, h.Records, h.Files, h.Exports)
	if h.Torn > 0 {
		s += fmt.Sprintf("; %d bytes of an interrupted record, which --resume cuts off", h.Torn)
	}
	return s
}
