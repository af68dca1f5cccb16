package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"moncae/internal/durable"
)

// KindTest is the kind of a record of test data being looked at.
const KindTest = "test_opening"

// TestOpening is a look at test data within a run.
type TestOpening struct {
	By string `json:"by"` // the command
}

// NoteTest records that by looked at test data, and counts the run's openings so
// far, this one included.
func NoteTest(path, by string, fs durable.FS) (openings int, err error) {
	d, err := Open(path, fs)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Append(KindTest, TestOpening{by}); err != nil {
		return 0, err
	}
	return d.TestOpenings(), nil
}

// TestOpenings counts the looks at test data.
func (d *Dir) TestOpenings() int {
	n := 0
	for _, r := range d.records {
		if r.Kind == KindTest {
			n++
		}
	}
	return n
}

// KindTable is the kind of a record of what classify measured on test data.
const KindTable = "classification"

// ClassifyDir is the folder of the tables that KeepTable keeps.
const ClassifyDir = "classify"

// Table is what classify measured when test data was opened for the n-th time.
type Table struct {
	Opening int  `json:"opening"`
	Table   File `json:"table"`
}

// KeepTable keeps content, JSON, as classify/<opening>.json, and records it.
func KeepTable(path string, opening int, content []byte, fs durable.FS) (err error) {
	d, err := Open(path, fs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.fs.OwnFolder(d.file(ClassifyDir)); err != nil {
		return err
	}
	name := fmt.Sprintf("%d.json", opening)
	if err := d.fs.ReplaceBytes(d.file(ClassifyDir, name), content); err != nil {
		return err
	}
	return d.Append(KindTable, Table{opening, File{filepath.ToSlash(filepath.Join(ClassifyDir, name)), sum(content)}})
}

// Tables are the kept tables in the order in which they were made.
func (d *Dir) Tables() (all []json.RawMessage, err error) {
	for _, r := range d.records {
		if r.Kind != KindTable {
			continue
		}
		var t Table
		if err := r.Decode(&t); err != nil {
			return nil, err
		}
		content, err := d.checked(t.Table)
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
}
