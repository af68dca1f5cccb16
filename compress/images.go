package compress

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"moncae/internal/durable"
	"moncae/internal/imagefile"
	"moncae/internal/latent"
)

// counting counts the bytes that go through.
type counting struct {
	w io.Writer
	n *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// writeNPY writes one numpy array, N×C×H×W.
func (d *decompression) writeNPY(ctx context.Context) error {
	return d.options.FS.Replace(d.options.Out, func(w durable.Writer) error {
		to, descr, image := counting{w, &d.written}, "|u1", d.dec.image
		if d.options.Float {
			descr = "<f4"
		}
		if _, err := to.Write(imagefile.NPYHeader(descr, d.total, int64(image.C), int64(image.H), int64(image.W))); err != nil {
			return err
		}
		var pixels []uint8
		for rows, err := range d.decoded(ctx) {
			if err != nil {
				return err
			}
			pixels = sized(pixels, len(rows.Latents))
			latent.ToPixels(pixels, rows.Latents)
			content := pixels
			if d.options.Float {
				content = littleEndian(rows.Latents)
			}
			if _, err := to.Write(content); err != nil {
				return err
			}
		}
		return nil
	})
}

func littleEndian(x []float32) []byte {
	b := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return b
}

// writeArrow writes an Arrow file with the latents' columns and, instead of the
// latent, the image.
func (d *decompression) writeArrow(ctx context.Context) error {
	m := d.meta
	m.Column, m.Shape, m.Quant, m.Fingerprint = latent.ColumnImage, d.dec.image, nil, ""
	o := latent.Options{DType: latent.Uint8, Layout: latent.Tensor, Format: latent.File, Compression: latent.None}
	if d.options.Float {
		o.DType = latent.Float32
	}
	next, stop := iter.Pull2(d.decoded(ctx))
	defer stop()
	_, err := latent.WriteFile(latent.Disk{FS: d.options.FS, Count: &d.written}, d.options.Out, m, o, func(int) (latent.Rows, error) {
		rows, err, more := next()
		if !more {
			return latent.Rows{}, io.EOF
		}
		return rows, err
	}, nil)
	return err
}

// writePNG writes a folder of PNG files.
func (d *decompression) writePNG(ctx context.Context) error {
	for rows, err := range d.decoded(ctx) {
		if err = errors.Join(err, d.writePNGs(rows)); err != nil {
			return err
		}
	}
	if d.options.Overwrite {
		return d.place.Commit()
	}
	return d.place.CommitNew()
}

// writePNGs writes a group of rows on several cores.
func (d *decompression) writePNGs(r latent.Rows) error {
	size := d.dec.image.Values()
	var g errgroup.Group
	g.SetLimit(max(d.options.Workers, durable.Together))
	for i := range r.Len() {
		name, err := d.pathOf(r, i)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		g.Go(func() error {
			pixels := make([]uint8, size)
			latent.ToPixels(pixels, r.Latents[i*size:(i+1)*size])
			var b bytes.Buffer
			if err := imagefile.EncodePixels(&b, pixels, d.dec.image); err != nil {
				return err
			}
			d.written.Add(int64(b.Len()))
			err := d.place.WriteBytes(name, b.Bytes())
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("two images want to be %s: write .npy or .arrow instead", name)
			}
			return err
		})
	}
	return g.Wait()
}
