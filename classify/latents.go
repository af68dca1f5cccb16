package classify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	datasource "moncae/internal/dataset/source"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/latent"
	"moncae/internal/metakey"
)

// latents are a file's rows, dequantised, each with a label.
type latents struct {
	path string
	meta latent.Meta
	head.Examples
	ids    []int64
	splits []string // a row's split; nil: all are of origin.Split
	origin origin
}

// origin is what latents say of the data set they were made of.
type origin struct {
	Name  string `json:"name"`
	Split string `json:"split"`
}

// readLatents reads a file whole. Without labels there is nothing to learn: that
// is refused.
func readLatents(path string) (*latents, error) {
	meta, rows, err := latent.ReadAll(path)
	if err != nil {
		return nil, err
	}
	if rows.Len() == 0 {
		return nil, fault.Usagef("%s: there are no rows in it", path)
	}
	l := &latents{path: path, meta: meta, ids: rows.IDs, splits: rows.Splits}
	l.Shape, l.Features = meta.Shape, rows.Latents
	if l.Labels, err = labelsOf(path, rows.Labels, rows.Len(), meta.Classes); err != nil {
		return nil, err
	}
	if meta.Dataset != "" {
		if err := json.Unmarshal([]byte(meta.Dataset), &l.origin); err != nil {
			return nil, fault.Damagedf("%s: metadata %s: %w", path, metakey.Dataset, err)
		}
	}
	if i := latent.NotFinite(l.Features); i >= 0 {
		return nil, fault.Damagedf("%s: row %d: the latent holds %v, which is not a finite number", path, i/l.Shape.Values(), l.Features[i])
	}
	return l, nil
}

func labelsOf(path string, column []int64, rows int, classes []string) ([]int32, error) {
	missing := 0
	for _, v := range column {
		if v == latent.NoLabel {
			missing++
		}
	}
	switch {
	case column == nil || missing == rows:
		return nil, fault.Usagef("%s: the latents have no labels; a classifier needs latents of labelled images (compress a data set with classes)", path)
	case missing > 0:
		return nil, fault.Usagef("%s: %d of %d rows have no label; compress labelled images only", path, missing, rows)
	}
	labels := make([]int32, rows)
	for i, v := range column {
		if err := datasource.CheckClass(v); err != nil {
			return nil, fault.Damagedf("%s: row %d: %w", path, i, err)
		}
		if classes != nil && v >= int64(len(classes)) {
			return nil, fault.Damagedf("%s: row %d: label %d; the file names %d classes", path, i, v, len(classes))
		}
		labels[i] = int32(v)
	}
	return labels, nil
}

// rows is the number of rows.
func (l *latents) rows() int { return len(l.Labels) }

// split is the split that a row is of, "" where the file doesn't say.
func (l *latents) split(row int) string {
	if l.splits == nil {
		return l.origin.Split
	}
	return l.splits[row]
}

// part is the split that the rows are of: test where one of them is.
func (l *latents) part() string {
	if l.splits == nil {
		return l.origin.Split
	}
	if slices.Contains(l.splits, "test") {
		return "test"
	}
	return l.splits[0]
}

// classesOf are the names of the classes of two files that belong together; where
// the files name none, their numbers.
func classesOf(train, test *latents) []string {
	if train.meta.Classes != nil {
		return train.meta.Classes
	}
	top := int32(0)
	for _, l := range []*latents{train, test} {
		for _, label := range l.Labels {
			top = max(top, label)
		}
	}
	names := make([]string, top+1)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// checkPair refuses a test file that is not the training file's counterpart.
func checkPair(train, test *latents) error {
	a, b := train.meta, test.meta
	switch {
	case a.Encoder != b.Encoder:
		return fault.Usagef("%s and %s are latents of two encoders (%s and %s): compress both with one", train.path, test.path, short(a.Encoder), short(b.Encoder))
	case train.Shape != test.Shape:
		return fault.Usagef("%s holds latents %v, %s latents %v: compress both with one encoder", train.path, train.Shape, test.path, test.Shape)
	case a.Preprocess != "" && b.Preprocess != "" && !sameJSON(a.Preprocess, b.Preprocess):
		return fault.Usagef("%s and %s were made from images that were prepared differently: %s and %s", train.path, test.path, a.Preprocess, b.Preprocess)
	case fmt.Sprintf("%q", a.Classes) != fmt.Sprintf("%q", b.Classes):
		return fault.Usagef("%s has the classes %q, %s %q: they must be one data set's", train.path, a.Classes, test.path, b.Classes)
	}
	seen := map[int32]bool{}
	for _, label := range train.Labels {
		seen[label] = true
	}
	if len(seen) < 2 {
		return fault.Usagef("%s: all rows have one label; a classifier needs two classes at least", train.path)
	}
	s := head.StandardOf(train.Features, train.Shape.Values(), 0)
	if n := shared(s, train, test); n > 0 {
		return fault.Usagef("%d of %d rows of %s are in %s too, with the same id and content: test on rows that were not trained on", n, test.rows(), test.path, train.path)
	}
	if n, of := twins(s, train, test); n > 0 {
		return fault.Usagef("%s: %d of %d rows that were looked at have their like in %s: these are images that were trained on; compress the splits train and test of one data set, with one --test-fraction", test.path, n, of, train.path)
	}
	return nil
}

// short is the beginning of a hash, as people compare them.
func short(hash string) string {
	if hash == "" {
		return "unknown"
	}
	return hash[:min(12, len(hash))]
}
