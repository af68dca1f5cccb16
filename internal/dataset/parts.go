package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// part is a split, or some rows of it, as it was asked for.
type part struct {
	*source.Split
	name    string  // in records; "" where a source without splits is read whole
	pick    []int64 // sorted positions in Split; nil: all
	keep    []int64 // ids of the picked rows; nil: they count from 0
	derived bool
}

// rows is the number of images to read, −1 if unknown.
func (p *part) rows() int64 {
	if p.pick != nil {
		return int64(len(p.pick))
	}
	return p.Rows
}

// bytes is the share of the split's bytes.
func (p *part) bytes() int64 {
	if p.pick == nil || p.Rows == 0 {
		return p.Bytes()
	}
	return int64(float64(p.Bytes()) * float64(len(p.pick)) / float64(p.Rows))
}

// partsOf answers a request for a split by what the collection has.
func partsOf(c *source.Collection, o Options) ([]part, error) {
	parts, err := wanted(c, o)
	if err == nil && o.Limit > 0 {
		parts, err = limit(parts, o)
	}
	if err == nil && o.To > 0 {
		parts, err = between(parts, o.From, o.To)
	}
	return parts, err
}

// between are the rows from one position of all parts together up to another; they
// keep the ids that they had.
func between(parts []part, from, to int64) (some []part, err error) {
	for _, p := range parts {
		n := p.rows()
		if n < 0 {
			return nil, fault.Usagef("the number of images is unknown before all are read, so none can be read alone")
		}
		if a, b := max(from, 0), min(to, n); a < b {
			some = append(some, p.between(a, b))
		}
		from, to = from-n, to-n
	}
	return some, nil
}

func (p part) between(from, to int64) part {
	pick, keep := []int64{}, []int64{}
	for i := from; i < to; i++ {
		at, id := i, i
		if p.pick != nil {
			at = p.pick[i]
		}
		if p.keep != nil {
			id = p.keep[i]
		}
		pick, keep = append(pick, at), append(keep, id)
	}
	p.pick, p.keep = pick, keep
	return p
}

func wanted(c *source.Collection, o Options) ([]part, error) {
	if o.Split == source.Whole {
		parts := make([]part, len(c.Splits))
		for i := range c.Splits {
			parts[i] = part{Split: &c.Splits[i], name: c.Splits[i].Name}
			if len(c.Splits) == 1 {
				parts[i].name = ""
			}
		}
		return parts, nil
	}
	if o.Split == source.TrainVal {
		train, val := c.Find(source.Train), c.Find(source.Val)
		if train == nil || val == nil || c.Find(source.Test) == nil {
			return nil, fault.Usagef("to validate on val takes the splits train, val and test; there is %s: without --validation %s, a share of the training images is set apart", strings.Join(splitNames(c), ", "), source.Val)
		}
		return []part{{Split: train, name: source.Train}, {Split: val, name: source.Val}}, nil
	}
	if s := c.Find(o.Split); s != nil && (o.Split != source.Train || hasTest(c)) {
		return []part{{Split: s, name: o.Split}}, nil
	}
	if o.Split == source.Test {
		if s := c.Find(source.Val); s != nil {
			return []part{{Split: s, name: source.Test}}, nil
		}
	}
	base := c.Find(source.Train)
	if base == nil {
		base = c.Find(source.Whole)
	}
	if base == nil || o.Split == source.Val {
		return nil, fault.Usagef("there is no split %q; there is %s", o.Split, strings.Join(askable(c, base), ", "))
	}
	p, err := holdOut(base, o)
	return []part{p}, err
}

// hasTest tells whether there is data to test on beside the training split.
func hasTest(c *source.Collection) bool {
	return c.Find(source.Test) != nil || c.Find(source.Val) != nil
}

func splitNames(c *source.Collection) []string {
	var names []string
	for _, s := range c.Splits {
		names = append(names, s.Name)
	}
	return names
}

// askable are the splits that can be asked for, where base, if there is one, is divided
// into those that a collection lacks.
func askable(c *source.Collection, base *source.Split) []string {
	names := splitNames(c)
	switch {
	case base == nil:
		return names
	case base.Name == source.Whole:
		return []string{source.Train, source.Test + " (set apart from it)", source.Whole}
	case !hasTest(c):
		return append(names, source.Test+" (set apart from it)")
	}
	return names
}

// holdOut divides a split into training and test rows.
func holdOut(base *source.Split, o Options) (part, error) {
	labels, err := labelsOf(base)
	if err != nil {
		return part{}, err
	}
	if len(labels) == 1 {
		return part{}, fault.Usagef("it holds one image, which can't be divided into training and test images; read it with --split all")
	}
	train, test, err := divide(labels, o.TestFraction, o.Seed)
	if err != nil {
		return part{}, fault.Usagef("holding out a test split: %w", err)
	}
	if o.Split == source.Train {
		return part{Split: base, name: o.Split, pick: train, derived: true}, nil
	}
	return part{Split: base, name: o.Split, pick: test, derived: true}, nil
}

// labelsOf are a split's labels; all −1 where it has none.
func labelsOf(s *source.Split) ([]int32, error) {
	if s.Labels != nil {
		return s.Labels()
	}
	if s.Rows < 0 {
		return nil, fault.Usagef("the number of images is unknown before all are read, so none can be set apart; read it with --split all")
	}
	labels := make([]int32, s.Rows)
	for i := range labels {
		labels[i] = -1
	}
	return labels, nil
}

// divide sets a fraction of rows apart, stratified: every class gives its share,
// rounded so that the total is right; the first part keeps at least one row, and
// so does the second. Both are sorted.
func divide(labels []int32, fraction float64, seed uint64) (rest, apart []int64, err error) {
	if len(labels) < 2 {
		return nil, nil, fmt.Errorf("%d images can't be divided; 2 are needed at least", len(labels))
	}
	n := min(max(int(math.Round(fraction*float64(len(labels)))), 1), len(labels)-1)
	apart = sample(labels, n, seed)
	next := 0
	for i := range int64(len(labels)) {
		if next < len(apart) && apart[next] == i {
			next++
			continue
		}
		rest = append(rest, i)
	}
	return rest, apart, nil
}

// limit samples the rows of all parts together.
func limit(parts []part, o Options) ([]part, error) {
	var labels []int32
	var starts []int
	for _, p := range parts {
		starts = append(starts, len(labels))
		all, err := labelsOf(p.Split)
		if err != nil {
			return nil, err
		}
		if p.pick == nil {
			labels = append(labels, all...)
		}
		for _, i := range p.pick {
			labels = append(labels, all[i])
		}
	}
	if o.Limit >= len(labels) {
		return parts, nil
	}
	chosen := sample(labels, o.Limit, o.Seed)
	for k := range parts {
		end := int64(len(labels))
		if k+1 < len(parts) {
			end = int64(starts[k+1])
		}
		p := &parts[k]
		p.choose(chosen, int64(starts[k]), end)
	}
	return slices.DeleteFunc(parts, func(p part) bool { return len(p.pick) == 0 }), nil
}

// choose keeps of the part's rows, which are numbered from start to end, those
// chosen; they keep the ids they had.
func (p *part) choose(chosen []int64, start, end int64) {
	before := p.pick
	p.pick = []int64{}
	p.keep = []int64{}
	for _, i := range chosen {
		if i < start || i >= end {
			continue
		}
		id := i - start
		p.keep = append(p.keep, id)
		if before != nil {
			id = before[id]
		}
		p.pick = append(p.pick, id)
	}
}
