package convert

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"path"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// writeImages writes <split>/<class>/<id>.png; without a split folder where
// everything is one, without a class folder where there are no labels.
func writeImages(to *durable.Place, sets []*dataset.Set) error {
	for _, s := range sets {
		folders, err := classFolders(s)
		if err != nil {
			return err
		}
		labelled, err := complete(s)
		if err != nil {
			return err
		}
		root := s.Info.Split
		if root == "all" {
			root = ""
		}
		var g errgroup.Group
		g.SetLimit(durable.Together)
		for i := range s.Rows() {
			at := root
			if labelled {
				at = path.Join(root, folders[s.Labels[i]])
			}
			g.Go(func() error {
				b, err := encodePNG(s, i)
				if err != nil {
					return err
				}
				// Rows, not ids: several splits read as one repeat ids.
				return to.WriteBytes(path.Join(at, fmt.Sprintf("%07d.png", i)), b)
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// classFolders are the names of the classes as folders.
func classFolders(s *dataset.Set) ([]string, error) {
	seen := map[string]string{}
	var out []string
	for _, c := range s.Classes {
		f := strings.NewReplacer("/", "-", `\`, "-", ":", "-", "\x00", "-").Replace(c)
		if f == "" || strings.HasPrefix(f, ".") {
			f = "_" + f
		}
		if other, taken := seen[f]; taken {
			return nil, fault.Usagef("%s: the classes %q and %q both make the folder %s", s.Name, other, c, f)
		}
		seen[f] = c
		out = append(out, f)
	}
	return out, nil
}

// encodePNG is a row's image as a PNG file, grey or RGB.
func encodePNG(s *dataset.Set, row int) ([]byte, error) {
	rect := image.Rect(0, 0, s.Shape.W, s.Shape.H)
	var m image.Image = &image.Gray{Pix: s.Image(row), Stride: s.Shape.W, Rect: rect}
	if s.Shape.C == 3 {
		rgba := image.NewRGBA(rect)
		for i, p := 0, hwc(nil, s, row); i < len(p); i += 3 {
			copy(rgba.Pix[i/3*4:], p[i:i+3])
			rgba.Pix[i/3*4+3] = 255
		}
		m = rgba
	}
	var b bytes.Buffer
	err := encoder.Encode(&b, m)
	return b.Bytes(), err
}

// encoder keeps its buffers, which cost more than a small image.
var encoder = png.Encoder{BufferPool: &pool{}}

// pool is a png.EncoderBufferPool.
type pool struct{ sync.Pool }

func (p *pool) Get() *png.EncoderBuffer {
	b, _ := p.Pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *pool) Put(b *png.EncoderBuffer) { p.Pool.Put(b) }
