package classify

import (
	"context"
	"encoding/json"
	"reflect"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/metakey"
)

// images are those that the latents were made of, row for row.
type images struct {
	shape       arch.Shape
	train, test []uint8 // NCHW
	known       bool    // by the fingerprints of both
}

// loadImages finds the latents' images by split and id. A data set that can't be
// theirs is refused: another fingerprint, too few images, other labels.
func loadImages(ctx context.Context, o Options, train, test *latents) (*images, error) {
	l := &loader{o: o, sets: map[string]*dataset.Set{}, known: true}
	out := &images{}
	var err error
	if out.train, err = l.rows(ctx, train, "train"); err != nil {
		return nil, err
	}
	if out.test, err = l.rows(ctx, test, "test"); err != nil {
		return nil, err
	}
	out.known = l.known
	for _, s := range l.sets {
		out.shape = s.Shape
	}
	if len(out.train) != train.rows()*out.shape.Values() || len(out.test) != test.rows()*out.shape.Values() {
		return nil, fault.Usagef("%s: the training images and the test images have different shapes: give --image-size and --channels", o.Data)
	}
	return out, nil
}

// loader keeps the splits that it has read.
type loader struct {
	o     Options
	sets  map[string]*dataset.Set
	known bool // fingerprints told of all rows so far whose they are
}

func (l *loader) set(ctx context.Context, split string, of *latents) (*dataset.Set, error) {
	if s := l.sets[split]; s != nil {
		return s, nil
	}
	how := l.o.Images
	if text := of.meta.Preprocess; text != "" {
		var p dataset.Preprocess
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, fault.Damagedf("%s: metadata %s: %w", of.path, metakey.Preprocess, err)
		}
		if p.Channels > 0 {
			how = p.Apply(how)
		}
	}
	how.Split = split
	s, err := dataset.Load(ctx, l.o.Data, how)
	if err != nil {
		return nil, err
	}
	l.sets[split] = s
	return s, nil
}

// rows gives the images of a file's rows; split is where they are looked for
// when the file doesn't say.
func (l *loader) rows(ctx context.Context, of *latents, split string) ([]uint8, error) {
	if of.origin.Split != "" {
		split = of.origin.Split
	}
	if of.splits != nil {
		split = "all"
	}
	s, err := l.set(ctx, split, of)
	if err != nil {
		return nil, err
	}
	if of.meta.Fingerprint == "" || of.rows() != s.Rows() { // made by others, or of a part of the split
		l.known = false
	} else if of.meta.Fingerprint != s.Info.Fingerprint {
		return nil, fault.Usagef("%s is not the data set of %s: the fingerprint of its split %s is %s, the latents were made of %s %s",
			l.o.Data, of.path, split, short(s.Info.Fingerprint), of.origin.Name, short(of.meta.Fingerprint))
	}
	at := index(s)
	values := s.Shape.Values()
	out := make([]uint8, 0, of.rows()*values)
	for i, id := range of.ids {
		row, ok := at[of.keyIn(s, i, id)]
		if !ok {
			return nil, fault.Usagef("%s is not the data set of %s: its split %s has no image %d", l.o.Data, of.path, split, id)
		}
		if s.Labels == nil || s.Labels[row] != of.Labels[i] {
			return nil, fault.Usagef("%s is not the data set of %s: image %d of its split %s is of another class", l.o.Data, of.path, id, split)
		}
		out = append(out, s.Image(row)...)
	}
	return out, nil
}

type rowKey struct {
	split string
	id    int64
}

// keyIn is where row i with that id is found in s, which may be of one split.
func (l *latents) keyIn(s *dataset.Set, i int, id int64) rowKey {
	if s.Splits == nil {
		return rowKey{id: id}
	}
	return rowKey{l.split(i), id}
}

func index(s *dataset.Set) map[rowKey]int {
	at := make(map[rowKey]int, s.Rows())
	for row := range s.Rows() {
		key := rowKey{id: s.ID(row)}
		if s.Splits != nil {
			key.split = s.Splits[row]
		}
		at[key] = row
	}
	return at
}

// sameJSON tells whether two JSON texts say the same.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}
