package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"os"
	"slices"

	"moncae/internal/fault"
)

// Health is what Verify found.
type Health struct {
	Run     string `json:"run"`
	Records int    `json:"records"`
	Files   int    `json:"files"` // checked against their hashes
	Torn    int64  `json:"torn"`  // bytes after the last whole record: a crash's, cut by the next --resume
}

// Verify checks every checksum and hash of a run, without changing anything. The
// error joins all damage that it found.
func Verify(path string) (Health, error) {
	d, err := Read(path)
	if err != nil {
		return Health{}, err
	}
	h := Health{Run: d.Manifest.Run, Records: len(d.records)}
	if h.Torn, err = d.torn(); err != nil {
		return h, err
	}
	var damage []error
	for _, f := range d.vouched() {
		h.Files++
		if _, err := d.checked(f); err != nil {
			damage = append(damage, err)
		}
	}
	if err := d.verifyFront(&h); err != nil {
		damage = append(damage, err)
	}
	return h, errors.Join(damage...)
}

func (d *Dir) torn() (int64, error) {
	content, err := os.ReadFile(d.file(JournalFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, whole, err := parseJournal(d.file(JournalFile), content)
	return int64(len(content)) - whole, err
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

// verifyFront accepts the front of the last record and of the one before: the
// file follows its record.
func (d *Dir) verifyFront(h *Health) error {
	var fronts []string
	for _, r := range d.records {
		if r.Kind == kindFront {
			var f File
			if err := r.Decode(&f); err != nil {
				return err
			}
			fronts = append(fronts, f.SHA256)
		}
	}
	content, err := os.ReadFile(d.file(FrontFile))
	if errors.Is(err, os.ErrNotExist) && len(fronts) <= 1 {
		return nil
	}
	if err != nil {
		return missing(err)
	}
	h.Files++
	if got := sum(content); !slices.Contains(fronts[max(0, len(fronts)-2):], got) {
		return fault.Damagedf("%s: its SHA-256 is %s, which the journal doesn't have: the next --resume writes it anew", d.file(FrontFile), got)
	}
	return nil
}

// Front reads front.json; ok is false where no generation has finished.
func (d *Dir) Front() (content []byte, ok bool, err error) {
	content, err = os.ReadFile(d.file(FrontFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !json.Valid(bytes.TrimSpace(content)) {
		return nil, false, fault.Damagedf("%s: not JSON", d.file(FrontFile))
	}
	return content, true, nil
}

type hasher struct{ hash.Hash }

func newHasher() hasher { return hasher{sha256.New()} }

func (h hasher) hex() string { return hex.EncodeToString(h.Sum(nil)) }

// String is one line for a person.
func (h Health) String() string {
	s := fmt.Sprintf("run %s: %d records, %d files, all sound", h.Run, h.Records, h.Files)
	if h.Torn > 0 {
		s += fmt.Sprintf("; %d bytes of an interrupted record, which --resume cuts off", h.Torn)
	}
	return s
}
