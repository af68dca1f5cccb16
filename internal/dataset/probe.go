package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// preprocess settles size and channels: as asked for, otherwise from the raw
// shape or the headers of all images.
func (s *stream) preprocess(ctx context.Context, parts []part) (Preprocess, error) {
	o := s.options
	p := Preprocess{Resize: o.Resize, Channels: o.Channels, Background: *o.Background, Range: o.Range}
	if o.ImageSize != nil {
		p.ImageSize = *o.ImageSize
	}
	if r := s.collection.Raw; r != nil {
		if o.ImageSize == nil {
			p.ImageSize = [2]int{r.Shape.H, r.Shape.W}
		} else if o.Resize == pixel.None && p.ImageSize != [2]int{r.Shape.H, r.Shape.W} {
			return p, s.wrongSize("", r.Shape.H, r.Shape.W)
		}
		if p.Channels == 0 {
			p.Channels = r.Shape.C
		}
		return p, nil
	}
	if o.ImageSize != nil && o.Channels != 0 {
		return p, nil
	}
	return p, s.scan(ctx, parts, &p)
}

// headerBytes are read of a file to find its header; if it goes on, all are.
const headerBytes = 1 << 16

// scan reads the headers of all images, and fills in what p leaves open.
func (s *stream) scan(ctx context.Context, parts []part, p *Preprocess) error {
	pipe := newPipeline(ctx, parts, s.options.Workers, 64, s.header)
	defer pipe.close()
	images, colour := 0, false
	for {
		c := pipe.next()
		for i := range c.records {
			if err := c.errs[i]; err != nil {
				if s.options.OnBadImage == "skip" && isBad(err) {
					continue // the decoding will list it
				}
				return err
			}
			h := c.headers[i]
			images++
			colour = colour || !h.Grey
			if s.options.ImageSize != nil {
				continue
			}
			if images == 1 {
				p.ImageSize, s.first = [2]int{h.H, h.W}, s.where(c.records[i].Path)
			} else if p.ImageSize != [2]int{h.H, h.W} {
				return s.sizesDiffer(c.records[i].Path, h.H, h.W, p.ImageSize)
			}
		}
		if errors.Is(c.end, io.EOF) {
			break
		}
		if c.end != nil {
			return c.end
		}
		pipe.release(c)
	}
	if images == 0 {
		return fault.Usagef("%s: none of the images can be read", s.where(""))
	}
	if p.Channels == 0 {
		if p.Channels = 1; colour {
			p.Channels = 3
		}
	}
	return nil
}

// header reads the header of item i of a chunk.
func (s *stream) header(w *worker, c *chunk, i int) {
	if len(c.headers) < cap(c.items) {
		c.headers = make([]pixel.Header, cap(c.items))
	}
	it := &c.items[i]
	data, err := w.load(it, headerBytes)
	if err == nil {
		c.headers[i], err = pixel.ReadHeader(data, len(data) < headerBytes)
		if err != nil && len(data) == headerBytes {
			if data, err = w.load(it, files.MaxMember); err == nil {
				c.headers[i], err = pixel.ReadHeader(data, true)
			}
		}
	}
	if err != nil {
		c.errs[i] = s.badImage(it, err)
	}
}

// where is the path of an image as the user knows it.
func (s *stream) where(path string) string {
	if s.info.Path == "" {
		return s.info.Name
	}
	if files.IsArchive(s.info.Path) && path != "" {
		return s.info.Path + ": " + path
	}
	return filepath.Join(s.info.Path, filepath.FromSlash(path))
}

func (s *stream) badImage(it *source.Item, err error) error {
	fix := "repair or remove it"
	if unread := (*pixel.Unread)(nil); errors.As(err, &unread) {
		fix = unread.Fix
	}
	return &source.Bad{Err: fault.Usagef("%s: %w; %s, or pass over such images with --on-bad-image skip", fault.Name(s.where(it.Path)), err, fix), Cause: err}
}

func (s *stream) sizesDiffer(path string, h, w int, first [2]int) error {
	return fault.Usagef("images differ in size: %s is %d×%d, %s is %d×%d (height×width); bring them to one with --image-size %dx%d",
		s.first, first[0], first[1], s.where(path), h, w, first[0], first[1])
}

func (s *stream) wrongSize(path string, h, w int) error {
	want := s.info.Preprocess.ImageSize
	if s.options.ImageSize != nil {
		want = *s.options.ImageSize
	}
	size := fmt.Sprintf("%d×%d (height×width), %d×%d are needed", h, w, want[0], want[1])
	return fault.Usagef("%s is %s; scale with --image-size %dx%d --resize fit", s.where(path), size, want[0], want[1])
}
