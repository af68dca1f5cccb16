package compress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/metakey"
	"moncae/internal/ort"
)

// DecompressOptions say which latents become images, with what, and where.
type DecompressOptions struct {
	Decoder string // ONNX file
	In      string // a file or folder of latents
	// Out ends in .npy (N×C×H×W), in .arrow (a column image of tensors), or is a
	// new or empty folder that gets PNG files.
	Out       string
	Overwrite bool // what is at Out already: a file, or a folder of PNG files
	Float     bool // float32 in [0, 1] instead of bytes; not for PNG
	Force     bool // use a decoder that doesn't belong to the latents
	Batch     int  // images a run of the decoder; 0: 32, fewer for large images (256 on a GPU)
	Workers   int
	Device    string
	Library   string
	FS        durable.FS
}

// DecompressReport is the result of a decompression.
type DecompressReport struct {
	Out      string     `json:"out"`
	Rows     int64      `json:"rows"`
	Image    arch.Shape `json:"image"`
	Provider string     `json:"provider"`
	BytesIn  int64      `json:"bytes_in"`
	BytesOut int64      `json:"bytes_out"`
	Seconds  float64    `json:"seconds"`
	Notes    []string   `json:"notes,omitempty"`
}

// Decompress writes what a decoder makes of latents. observe may be nil. The
// latents are read to their end before anything is written, so that damage
// anywhere in them is told first.
func Decompress(ctx context.Context, o DecompressOptions, observe Observer) (rep DecompressReport, err error) {
	start := time.Now()
	if err := o.check(); err != nil {
		return rep, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	meta, total, err := survey(ctx, o.In)
	if err != nil {
		return rep, err
	}
	d := &decompression{options: o, meta: meta, total: total}
	if d.dec, err = o.open(meta); err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, d.dec.session.Close()) }()
	if o.folder() {
		if d.place, err = o.FS.Claim(o.Out); err != nil {
			return rep, fmt.Errorf("--out %s: %w", o.Out, err)
		}
		defer func() { err = errors.Join(err, d.place.Close()) }()
	}
	if err := d.size(); err != nil {
		return rep, err
	}
	stop := watch(observe, "decompress", total, 0, &d.done, &d.written)
	err = d.write(ctx)
	stop()
	if err != nil {
		return rep, err
	}
	rep = DecompressReport{
		Out: o.Out, Rows: d.done.Load(), Image: d.dec.image, Provider: d.dec.session.Provider(),
		BytesIn: sizeOf(o.In), BytesOut: sizeOf(o.Out), Seconds: time.Since(start).Seconds(),
	}
	if !meta.Checked {
		rep.Notes = append(rep.Notes, latent.Unchecked(o.In))
	}
	return rep, nil
}

func (o DecompressOptions) check() error {
	switch {
	case o.Decoder == "":
		return fault.Usagef("--decoder is missing: the decoder.onnx of an export")
	case o.In == "":
		return fault.Usagef("--in is missing: a file of latents")
	case o.Out == "":
		return fault.Usagef("--out is missing: a folder, or a file that ends in .npy or .arrow")
	case o.Batch < 0:
		return fault.Usagef("--batch %d: it can't be below 0", o.Batch)
	case o.folder() && o.Float:
		return fault.Usagef("PNG files hold bytes: for float32 write .npy or .arrow")
	}
	if !o.folder() {
		return checkOut(o.Out, false, o.Overwrite)
	}
	if err := checkOut(o.Out, true, o.Overwrite); err != nil {
		return err
	}
	if err := durable.VacantFolder(o.Out, o.Overwrite, ".png"); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func (o DecompressOptions) folder() bool {
	return !strings.HasSuffix(o.Out, ".npy") && !strings.HasSuffix(o.Out, ".arrow")
}

// survey reads all latents once: their meta, and how many there are.
func survey(ctx context.Context, path string) (m latent.Meta, rows int64, err error) {
	for batch, err := range batches(ctx, path) {
		if err != nil {
			return m, 0, err
		}
		m = batch.meta
		rows += int64(batch.rows.Len())
	}
	if rows == 0 {
		return m, 0, fault.Usagef("%s: there is no row in it", path)
	}
	return m, rows, nil
}

type recordBatch struct {
	meta latent.Meta
	rows latent.Rows
}

// batches are a file's record batches, each valid until the next; an error is
// the last.
func batches(ctx context.Context, path string) iter.Seq2[recordBatch, error] {
	return func(yield func(recordBatch, error) bool) {
		r, err := latent.Open(path)
		if err != nil {
			yield(recordBatch{}, err)
			return
		}
		for err == nil {
			var rows latent.Rows
			if rows, err = r.Next(); err == nil {
				err = ctx.Err()
			}
			if err == nil && !yield(recordBatch{r.Meta(), rows}, nil) {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err = errors.Join(err, r.Close()); err != nil {
			yield(recordBatch{}, err)
		}
	}
}

// open opens the decoder, and refuses one that the latents don't name.
func (o DecompressOptions) open(m latent.Meta) (*decoder, error) {
	var p Preprocess
	if m.Preprocess != "" {
		var err error
		if p, err = readPreprocess(m.Preprocess); err != nil {
			return nil, fault.Damagedf("%s: metadata %s: %w", o.In, metakey.Preprocess, err)
		}
	}
	model, err := readModel(o.Decoder)
	if err != nil {
		return nil, err
	}
	if hash := model.Hash(); m.Decoder != "" && hash != m.Decoder && !o.Force {
		return nil, fault.Usagef("%s (hash %.12s…) is not the decoder of %s (%.12s…): take decoder.onnx of the same export, or --force", o.Decoder, hash, o.In, m.Decoder)
	}
	image := p.Shape()
	if o.Force || image.Values() == 0 {
		image = arch.Shape{}
	}
	return openDecoder(o.Decoder, p.Full(), m.Shape, image, ort.Options{Library: o.Library, Device: o.Device, Threads: 1})
}

// decompression is one under way.
type decompression struct {
	options DecompressOptions
	meta    latent.Meta
	total   int64
	dec     *decoder
	place   *durable.Place // of a folder
	batch   int
	workers int
	group   int // rows that are decoded before they are written: whole batches for every worker
	done    atomic.Int64
	written atomic.Int64
}

// groupBytes is what a group's images take, unless one batch a worker is more.
const groupBytes = 4 << 20

// size sets how many rows go through the decoder at once.
func (d *decompression) size() error {
	asked, err := d.dec.bounded(d.options.Batch, d.total, d.dec.image)
	if err != nil {
		return err
	}
	d.batch = d.dec.batchOf(asked, d.dec.image)
	if d.workers = d.options.Workers; d.dec.session.Provider() == ort.CUDA {
		d.workers = 2
	}
	round := d.batch * d.workers
	d.group = int(min(d.total, int64(round*max(1, groupBytes/(4*round*d.dec.image.Values())))))
	return nil
}

func (d *decompression) write(ctx context.Context) error {
	switch {
	case strings.HasSuffix(d.options.Out, ".npy"):
		return d.writeNPY(ctx)
	case strings.HasSuffix(d.options.Out, ".arrow"):
		return d.writeArrow(ctx)
	}
	return d.writePNG(ctx)
}

// decoded are groups of rows with images, values in [0, 1], for latents; each is
// valid until the next. An error is the last.
func (d *decompression) decoded(ctx context.Context) iter.Seq2[latent.Rows, error] {
	values := d.meta.Shape.Values()
	images := make([]float32, d.group*d.dec.image.Values())
	workers := make([]scratch, d.workers)
	return func(yield func(latent.Rows, error) bool) {
		for b, err := range batches(ctx, d.options.In) {
			for at := 0; err == nil && at < b.rows.Len(); at += d.group {
				group := b.rows.Slice(at, min(at+d.group, b.rows.Len()), values)
				if err = errors.Join(ctx.Err(), d.decodeGroup(workers, group, images)); err != nil {
					break
				}
				group.Latents = images[:group.Len()*d.dec.image.Values()]
				if !yield(group, nil) {
					return
				}
				d.done.Add(int64(group.Len()))
			}
			if err != nil {
				yield(latent.Rows{}, err)
				return
			}
		}
	}
}

// decodeGroup runs a group's batches side by side.
func (d *decompression) decodeGroup(workers []scratch, rows latent.Rows, images []float32) error {
	values, size := d.meta.Shape.Values(), d.dec.image.Values()
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			for i := w * d.batch; i < rows.Len(); i += len(workers) * d.batch {
				k := min(i+d.batch, rows.Len())
				in, out := rows.Latents[i*values:k*values], images[i*size:k*size]
				if at := latent.NotFinite(in); at >= 0 {
					return fault.Damagedf("%s: the latent of image %d holds %v, which is not a finite number", d.options.In, rows.IDs[i+at/values], in[at])
				}
				if err := d.dec.decode(&workers[w], in, k-i, out); err != nil {
					return err
				}
				if at := latent.NotFinite(out); at >= 0 {
					return fault.Usagef("%s makes %v of the latent of image %d, which is no pixel", d.options.Decoder, out[at], rows.IDs[i+at/size])
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// sizeOf is the bytes of a file, or of all files in a folder.
func sizeOf(path string) (n int64) {
	err := filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		return -1
	}
	return n
}

// pathOf is where a row's PNG goes in the folder, without what would lead out of
// it: its own path with .png, or its id.
func (d *decompression) pathOf(r latent.Rows, i int) (string, error) {
	name := fmt.Sprintf("%08d.png", r.IDs[i])
	if r.Paths != nil && r.Paths[i] != "" {
		name = strings.TrimSuffix(r.Paths[i], filepath.Ext(r.Paths[i])) + ".png"
	}
	if r.Splits != nil && r.Paths == nil {
		name = r.Splits[i] + "/" + name
	}
	name = filepath.FromSlash(name)
	if !filepath.IsLocal(name) {
		return "", fault.Damagedf("%s: id %d: the path %.100q leads out of the folder", d.options.In, r.IDs[i], name)
	}
	return name, nil
}
