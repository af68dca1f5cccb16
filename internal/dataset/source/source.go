// Package source is what every format of image data looks like to the rest of
// dataset: a Collection of splits, each a stream of items in the order of their ids.
//
// A reader checks every length it is told before it uses it, and names the
// file, the place and the fix in its errors. What a stream hands out is either
// an encoded image (a file, or its bytes) or raw pixels; decoding is not a
// reader's work.
package source

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

// Collection is an opened data set.
type Collection struct {
	Format  string   // idx, images, cifar, npy, npz, mat, parquet, arrow, webdataset
	Classes []string // nil: no labels, or no names for them
	Splits  []Split  // in the order train, val, test, then others; at least one
	Raw     *Raw     // nil: the items are encoded images
	// Stretch, for raw items, makes the streams that are opened from now on give 0 for lo and 255
	// for hi. nil: what is stored are bytes, which are stretched where they arrive.
	Stretch func(lo, hi float64)
	// Full is the stored value that a byte of 255 stands for; 0: 255.
	Full    float64
	Notes   []string // what the user should know about the data
	LeftOut Omissions
	close   []func() error
}

// Raw describes the pixels of items that are not encoded.
type Raw struct {
	Shape  arch.Shape
	Planar bool // CHW; otherwise HWC
}

// OnClose adds to what Close does.
func (c *Collection) OnClose(f func() error) { c.close = append(c.close, f) }

// Close frees files and temporary copies.
func (c *Collection) Close() error {
	var errs []error
	for _, f := range c.close {
		errs = append(errs, f())
	}
	c.close = nil
	return errors.Join(errs...)
}

// Find is the split of that name, nil where there is none.
func (c *Collection) Find(name string) *Split {
	for i := range c.Splits {
		if c.Splits[i].Name == name {
			return &c.Splits[i]
		}
	}
	return nil
}

// LeaveUnsplit leaves out the images that belong to no split, where others do; example is
// one of their files.
func (c *Collection) LeaveUnsplit(example string) {
	for i, s := range c.Splits {
		if s.Name == Whole && len(c.Splits) > 1 {
			c.LeftOut.Add("images of no split, beside those of the splits", example, int(s.Rows))
			c.Splits = append(c.Splits[:i:i], c.Splits[i+1:]...)
			return
		}
	}
}

// Split is one part of a collection. Whole is the name of the only split of a
// source that does not say what its images are for.
type Split struct {
	Name   string
	Folder string // where it lies within the data set, with slashes; "" for what is no folder of its own
	Rows   int64
	Bytes  func() int64 // of the files that hold it; may ask the disk
	// Labels are all labels in order, without reading pixels; nil where there are
	// none, −1 for a row without one.
	Labels func() ([]int32, error)
	Open   func() (Stream, error)
}

// The names of splits.
const (
	Train = "train"
	Val   = "val"
	Test  = "test"
	Whole = "all"
	// TrainVal is train followed by val, of a data set that has a split test too.
	TrainVal = "train+val"
)

// Splits are the names of single splits, and of all of them.
var Splits = []string{Train, Val, Test, Whole}

// Stream gives the items of a split in order, io.EOF after the last. It is used
// by one goroutine.
type Stream interface {
	// Next fills it, reusing it.Data. After an error that concerns one item only,
	// marked by Bad, the next call goes on behind it.
	Next(it *Item) error
	Close() error
}

// Item is one image before it is decoded.
type Item struct {
	Label int32  // −1: none
	Path  string // of the file the image comes from, slashes; "" where there is none
	Bytes int64  // that it takes in its source
	File  *File  // read by whoever decodes; nil: Data holds the image
	Data  []byte // encoded, or raw pixels as Collection.Raw says
}

// File is a file in a folder or an archive.
type File struct {
	Path   string                        // within the folder or archive, with slashes
	Size   int64                         // −1: unknown until it is opened
	Stored int64                         // bytes it takes, compressed where it is
	Disk   string                        // where it lies as a file of its own; "" inside an archive
	Open   func() (io.ReadCloser, error) // inside an archive; may be called by several goroutines at once
}

// Bad marks the error of a single item, which --on-bad-image skip passes over.
type Bad struct {
	Err   error
	Cause error // what is wrong with the item, without where it lies; nil: Err
}

func (b *Bad) Error() string { return b.Err.Error() }

// Reason is why the item is passed over.
func (b *Bad) Reason() string {
	if b.Cause != nil {
		return fault.Text(b.Cause)
	}
	return fault.Text(b.Err)
}

// Unwrap is the error itself.
func (b *Bad) Unwrap() error { return b.Err }

// Reader opens the file.
func (f *File) Reader() (io.ReadCloser, error) {
	if f.Disk != "" {
		return regular.Open(f.Disk)
	}
	return f.Open()
}

// Digest is the SHA-256 of the content.
func (f *File) Digest() ([]byte, error) {
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	defer func() { _ = r.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	return h.Sum(nil), nil
}

// Occupied is Stored, asked of the disk where it is unknown; 0 if the disk does
// not know either, for reading the file will say so.
func (f *File) Occupied() int64 {
	if f.Stored >= 0 {
		return f.Stored
	}
	info, err := os.Stat(f.Disk)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Occupied is the sum over files.
func Occupied(files ...*File) func() int64 {
	return func() int64 {
		n := int64(0)
		for _, f := range files {
			if f != nil {
				n += f.Occupied()
			}
		}
		return n
	}
}
