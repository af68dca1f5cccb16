package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"moncae/internal/fault"
	"moncae/internal/regular"
	"moncae/internal/shell"
)

// Record is one event of a run. A line of the journal is the record as one JSON
// object whose last field, crc32c, is the CRC-32C (Castagnoli) of all the line's
// bytes before it, in eight hexadecimal digits:
//
//	{"seq":3,"kind":"candidate","data":{…},"crc32c":"0badcafe"}
type Record struct {
	Seq int `json:"seq"` // from 0, without gaps
	// Group is the Seq of the first record that was written at the same time; nil: alone.
	Group *int            `json:"group,omitempty"`
	Kind  string          `json:"kind"`
	Data  json.RawMessage `json:"data"`
}

// Decode reads the record's data into v.
func (r Record) Decode(v any) error {
	if err := json.Unmarshal(r.Data, v); err != nil {
		return fault.Damagedf("%s: line %d: record of kind %q: %w", JournalFile, r.Seq+1, r.Kind, err)
	}
	return nil
}

const kindCreated = "created"

// created is the first record's data.
type created struct {
	Manifest string `json:"manifest"` // SHA-256 of run.json
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sealLength = len(`,"crc32c":"00000000"}`)

func seal(b []byte) string {
	return fmt.Sprintf(`,"crc32c":"%08x"}`, crc32.Checksum(b, castagnoli))
}

func newRecord(kind string, data any) (Record, error) {
	raw, err := json.Marshal(data)
	return Record{Kind: kind, Data: raw}, err
}

func (r Record) line() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1] // its closing brace
	return append(append(b, seal(b)...), '\n'), nil
}

// readJournal gives the whole records of a journal, their length in bytes, and that
// of a torn end, which is left out; a missing file is an empty journal.
func readJournal(file string) (records []Record, size, torn int64, err error) {
	content, err := regular.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, 0, nil
	}
	if err != nil {
		return nil, 0, 0, err
	}
	records, size, err = parseJournal(file, content)
	return records, size, int64(len(content)) - size, err
}

func parseJournal(file string, content []byte) ([]Record, int64, error) {
	var records []Record
	at := 0
	for at < len(content) {
		end := bytes.IndexByte(content[at:], '\n')
		if end < 0 {
			break // torn: the crash came before the line's end
		}
		r, err := parseLine(content[at : at+end])
		if err == nil && r.Seq != len(records) {
			err = fmt.Errorf("record %d where %d comes next", r.Seq, len(records))
		}
		if err != nil && isTorn(content[at:], len(records)) {
			break
		}
		if err != nil {
			return nil, 0, fault.Damagedf("%s: line %d (byte %d): %w: the file was changed, or the disk fails: `%s` makes a run that goes on of what is whole; or put a copy back",
				file, len(records)+1, at, err, repairWith(filepath.Dir(file)))
		}
		records = append(records, r)
		at += end + 1
	}
	return records, int64(at), nil
}

// repairWith is the command that mends a damaged run.
func repairWith(run string) string { return shell.Line("moncae", "doctor", run, "--repair") }

// isTorn tells whether the end of a journal, from the line of a record on that is
// damaged, is what a crash left: the file grew before its blocks were written, which
// are zero. Whole records in it were written with that one.
func isTorn(end []byte, record int) bool {
	for len(end) > 0 {
		line, rest, whole := bytes.Cut(end, []byte("\n"))
		r, err := parseLine(line)
		switch {
		case !whole, err != nil && bytes.IndexByte(line, 0) >= 0:
		case err != nil, r.Group == nil, *r.Group > record:
			return false
		}
		end = rest
	}
	return true
}

func parseLine(line []byte) (Record, error) {
	var r Record
	if len(line) <= sealLength {
		return r, fmt.Errorf("%d bytes are no record", len(line))
	}
	body, got := line[:len(line)-sealLength], string(line[len(line)-sealLength:])
	if want := seal(body); got != want {
		return r, fmt.Errorf("it ends in %q, its bytes have the checksum %q", got, want)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	return r, nil
}
