package dataset

import (
	"context"
	"errors"
	"io"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// Source streams the images of a split in order, decoded on several cores. It is
// used by one goroutine.
type Source interface {
	// Info describes what is read. Skipped and Fingerprint are complete once Next
	// has returned io.EOF.
	Info() Info
	// Next fills b with up to n images, reusing its memory; io.EOF after the last.
	// With an error, b holds nothing.
	Next(b *Batch, n int) error
	// Close stops reading and frees files and temporary copies.
	Close() error
}

// Batch is a run of consecutive images.
type Batch struct {
	Images  []uint8 // N·C·H·W bytes
	Records []Record
}

// Info describes an opened data set.
type Info struct {
	Name         string         `json:"name"`
	Path         string         `json:"path,omitempty"` // where it was found; "" for what is built in
	Format       string         `json:"format"`
	Shape        arch.Shape     `json:"shape"` // after preprocessing
	Preprocess   Preprocess     `json:"preprocess"`
	Columns      source.Columns `json:"columns,omitzero"` // as they were asked for
	TestFraction float64        `json:"-"`
	Classes      []string       `json:"classes"` // null: no labels
	Split        string         `json:"split"`
	Rows         int64          `json:"rows"` // of the split; −1: unknown before the end
	Splits       []SplitInfo    `json:"splits"`
	SourceBytes  int64          `json:"source_bytes"` // of the files that hold the split
	Fingerprint  string         `json:"fingerprint,omitempty"`
	Skipped      []Skipped      `json:"skipped,omitempty"`
	// LeftOut is complete once Next has returned io.EOF.
	LeftOut source.Omissions `json:"left_out"`
	Ignored int              `json:"ignored_files"` // the total of what is left out
	Notes   []string         `json:"notes,omitempty"`
}

// SplitInfo is a split that can be asked for.
type SplitInfo struct {
	Name     string `json:"name"`
	Rows     int64  `json:"rows"`
	Folder   string `json:"folder"` // where it lies within the data set; "" for what is no folder of its own
	Labelled bool   `json:"labelled"`
	Derived  bool   `json:"derived"` // set apart from a source without a test split
}

// Skipped is an image that could not be read.
type Skipped struct {
	ID     int64  `json:"id"`
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Open opens a split of a data set for reading in order; see Options. The name
// is one of Names, or the path of a file or folder.
func Open(ctx context.Context, nameOrPath string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	found, err := locate(ctx, nameOrPath, o)
	if err != nil {
		return nil, err
	}
	s := &stream{collection: found.Collection, options: o}
	if err := s.start(ctx, found); err != nil {
		return nil, errors.Join(inSet(found.path, err), found.Close())
	}
	return s, nil
}

// Splits are the names of a data set's own splits, in their order; there may be
// but one, "all".
func Splits(ctx context.Context, nameOrPath string, o Options) ([]string, error) {
	found, err := locate(ctx, nameOrPath, o)
	if err != nil {
		return nil, err
	}
	return splitNames(found.Collection), found.Close()
}

// stream is the Source over any collection.
type stream struct {
	collection *source.Collection
	options    Options
	info       Info
	first      string // the image that set the size, for errors
	pipe       *pipeline
	chunk      *chunk // being handed out
	at         int    // the next image of it
	err        error  // what every further Next returns
	hash       *hasher
	seen       pixel.Seen // of the chunks that were handed out
	plain      int
}

// maxChunk bounds the memory of a chunk's pixels.
const maxChunk = 1 << 20

func (s *stream) start(ctx context.Context, found *located) error {
	c, o := s.collection, s.options
	if err := checkColumns(o.Columns, c.Format); err != nil {
		return fault.Usagef("%s: %w", found.name, err)
	}
	parts, err := partsOf(c, o)
	if err != nil {
		return fault.Usagef("%s: %w", found.name, err)
	}
	s.info = Info{Name: found.name, Path: found.path, Format: c.Format, Split: o.Split, Columns: o.Columns, TestFraction: o.TestFraction, Classes: c.Classes, LeftOut: append(source.Omissions{}, c.LeftOut...), Ignored: c.LeftOut.Total(), Notes: slices.Clone(c.Notes)}
	for _, p := range parts {
		if s.info.Rows >= 0 {
			s.info.Rows += p.rows()
		}
		if p.rows() < 0 {
			s.info.Rows = -1
		}
		s.info.SourceBytes += p.bytes()
	}
	s.info.Splits = offered(c, o)
	if c.Find(source.Val) != nil && c.Find(source.Test) == nil {
		s.info.Notes = append(s.info.Notes, "there is no test split: val stands for it, so the two are the same images")
	}
	if s.info.Preprocess, err = s.preprocess(ctx, parts); err != nil {
		return err
	}
	s.info.Shape = s.info.Preprocess.Shape()
	if c.Stretch != nil && o.Range != nil {
		c.Stretch(o.Range[0], o.Range[1])
	}
	s.hash = newHasher(s.info.Shape)
	most := 64
	if c.Raw == nil {
		most = 8 // decoding takes long: no core should wait for another's last chunk
	}
	s.pipe = newPipeline(ctx, parts, o.Workers, min(max(maxChunk/s.info.Shape.Values(), 1), most), s.decode)
	return nil
}

// offered are the splits that could be asked for.
func offered(c *source.Collection, o Options) []SplitInfo {
	var out []SplitInfo
	add := func(name string) {
		o.Split, o.Limit, o.From, o.To = name, 0, 0, 0
		if parts, err := partsOf(c, o); err == nil {
			p := parts[0]
			out = append(out, SplitInfo{name, p.rows(), p.Folder, p.Labels != nil, p.derived})
		}
	}
	for _, name := range []string{source.Train, source.Val, source.Test} {
		add(name)
	}
	if len(out) == 0 { // one image, which can't be divided
		add(source.Whole)
	}
	return out
}

func (s *stream) Info() Info { return s.info }

func (s *stream) Next(b *Batch, n int) error {
	b.Images, b.Records = b.Images[:0], b.Records[:0]
	for s.err == nil && len(b.Records) < n {
		if s.chunk == nil {
			s.chunk, s.at = s.pipe.next(), 0
		}
		s.take(b, n)
	}
	switch {
	case s.err == nil, errors.Is(s.err, io.EOF) && len(b.Records) > 0:
		return nil
	default:
		b.Images, b.Records = b.Images[:0], b.Records[:0]
		return s.err
	}
}

// take moves images from the current chunk to b.
func (s *stream) take(b *Batch, n int) {
	c, values := s.chunk, s.info.Shape.Values()
	for ; s.at < len(c.records) && len(b.Records) < n; s.at++ {
		if err := c.errs[s.at]; err != nil {
			var bad *source.Bad
			if s.options.OnBadImage != "skip" || !errors.As(err, &bad) {
				s.err = inSet(s.info.Path, err)
				return
			}
			r := c.records[s.at]
			s.info.Skipped = append(s.info.Skipped, Skipped{r.ID, r.Path, bad.Reason()})
			continue
		}
		if s.collection.Raw == nil {
			s.leaveFrames(c.frames[s.at]-1, c.records[s.at].Path)
		}
		image := c.pixels[s.at*values : (s.at+1)*values]
		s.hash.add(image, c.records[s.at].Label)
		b.Images = append(b.Images, image...)
		b.Records = append(b.Records, c.records[s.at])
	}
	if s.at < len(c.records) {
		return
	}
	s.chunk = nil
	s.seen.Add(c.seen)
	s.plain += c.plain
	if c.end == nil {
		s.pipe.release(c)
		return
	}
	if s.err = c.end; c.end != io.EOF { //nolint:errorlint // the end itself; wrapped, it is a fault
		s.err = inSet(s.info.Path, c.end)
	} else {
		s.info.Fingerprint = s.hash.sum()
		s.info.Notes = append(s.info.Notes, s.noticed()...)
	}
}

// leaveFrames counts the images of a file behind its first, which is the one read.
func (s *stream) leaveFrames(n int, path string) {
	s.info.LeftOut.Add("further pages of TIFF files, pictures of MPO files, and frames of animations", path, n)
	s.info.Ignored = s.info.LeftOut.Total()
}

func (s *stream) Close() error {
	s.pipe.close()
	if s.err == nil {
		s.err = errClosed
	}
	return s.collection.Close()
}

var errClosed = errors.New("dataset: the source is closed")

// decode makes CHW bytes of item i of a chunk.
func (s *stream) decode(w *worker, c *chunk, i int) {
	p, values := s.info.Preprocess, s.info.Shape.Values()
	if need := cap(c.items) * values; cap(c.pixels) < need {
		c.pixels = make([]uint8, need)
	}
	c.pixels = c.pixels[:cap(c.pixels)]
	if len(c.frames) < cap(c.items) {
		c.frames = make([]int, cap(c.items))
	}
	m, frames, err := s.image(w, &c.items[i])
	c.frames[i] = frames
	if r := &c.records[i]; r.Bytes < 0 {
		r.Bytes = int64(len(w.file))
	}
	if err != nil {
		c.errs[i] = err
		return
	}
	if p.Resize == pixel.None && (m.H != p.ImageSize[0] || m.W != p.ImageSize[1]) {
		c.errs[i] = s.wrongSize(c.items[i].Path, m.H, m.W)
		return
	}
	out := c.pixels[i*values : (i+1)*values]
	w.Prepare(out, m, p.ImageSize[0], p.ImageSize[1], p.Channels, p.Resize)
	if constant(out) {
		c.plain++
	}
}

// image is an item's image, and how many its file has.
func (s *stream) image(w *worker, it *source.Item) (*pixel.Image, int, error) {
	w.Background, w.Range = *s.options.Background, s.options.Range
	if r := s.collection.Raw; r != nil {
		if s.collection.Stretch != nil {
			w.Range = nil // the reader's work
		}
		return w.Interleave(it.Data, r.Shape.H, r.Shape.W, r.Shape.C, r.Planar), 1, nil
	}
	data, err := w.load(it, files.MaxMember)
	if err != nil {
		return nil, 0, s.badImage(it, err)
	}
	m, err := w.Decode(data)
	if err != nil {
		return nil, 0, s.badImage(it, err)
	}
	return m, pixel.Frames(data), nil
}
