package rundir

import (
	"errors"

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
func NoteTest(path, by string) (openings int, err error) {
	d, err := Open(path, durable.FS{})
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
