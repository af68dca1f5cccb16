package view

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"maps"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/figure"
	"moncae/internal/report"
	"moncae/internal/run"
)

// Pictures are some validation images, and what the members of a front and PCA
// make of them.
type Pictures struct {
	Data      string
	Shape     arch.Shape
	Originals [][]float32 // values in [0, 1], CHW
	Members   []MemberPictures
}

// MemberPictures are a member's. PCA, with as many values, is nil where there is
// none.
type MemberPictures struct {
	run.Member
	Outputs, Latents, PCA [][]float32
}

// Look takes up to n validation images of the run's data through every member of
// a front. It costs a forward pass a member, and fitting a PCA.
func Look(eng engine.Engine, r *run.Run, f run.Front, set *dataset.Set, n int) (p Pictures, err error) {
	loaded, err := r.Load(eng, set)
	if err != nil {
		return p, err
	}
	defer func() {
		if e := loaded.Close(); err == nil {
			err = e
		}
	}()
	validation := r.Validation(set)
	rows := varied(set, validation, max(1, n))
	pca := baseline.NewPCA(set, without(set.Rows(), validation))
	p.Data, p.Shape = f.Data, set.Shape
	for _, m := range f.Members {
		out, err := loaded.Forward(m.ID, rows)
		if err != nil {
			return p, err
		}
		p.Originals = split(out.Images, len(rows))
		p.Members = append(p.Members, MemberPictures{m, split(out.Outputs, len(rows)), split(out.Latents, len(rows)), pca.Images(m.Values, rows)})
	}
	return p, nil
}

// without are the n rows that are not among the given ones.
func without(n int, given []int32) []int32 {
	rows := make([]int32, 0, n-len(given))
	held := make([]bool, n)
	for _, r := range given {
		held[r] = true
	}
	for r := range n {
		if !held[r] {
			rows = append(rows, int32(r))
		}
	}
	return rows
}

// Gallery is the picture of all of them: the originals, and for each member its
// reconstructions, their differences from the originals, and PCA's reconstructions.
func (p Pictures) Gallery() figure.Gallery {
	g := figure.Gallery{Title: fmt.Sprintf("Validation images of %s, and what the front makes of them", p.Data), Shape: p.Shape}
	if len(p.Members) == 0 {
		return g
	}
	g.Rows = append(g.Rows, figure.GalleryRow{Caption: fmt.Sprintf("originals · %v · %s", p.Shape, Values(p.Shape.Values())), Images: p.Originals})
	for _, m := range p.Members {
		g.Rows = append(g.Rows,
			figure.GalleryRow{
				Caption: fmt.Sprintf("%s · latent %v · %s (%.1f×) · LOC %.2f · BCE %.4f · %.1f dB", m.ID, m.Latent, Values(m.Values), m.Ratio, m.LOC, m.BCE, m.PSNR),
				Images:  m.Outputs,
			},
			figure.GalleryRow{Caption: "difference, ×2: lighter is too light", Images: figure.Differences(m.Outputs, p.Originals)})
		if m.PCA != nil {
			caption := "PCA · " + Values(m.Values)
			if f := m.Member.PCA; f != nil {
				caption += fmt.Sprintf(" · BCE %.4f · %.1f dB", f.BCE, f.PSNR)
			}
			g.Rows = append(g.Rows, figure.GalleryRow{Caption: caption, Images: m.PCA})
		}
	}
	return g
}

// Sides of an image on the page, in CSS pixels, and the bytes that all strips of
// a page may take.
const (
	cell      = 48
	stripLoad = 3 << 20
)

// strips are a member's pictures for its panel.
func (p Pictures) strips(m MemberPictures) ([]report.Picture, error) {
	var all []report.Picture
	add := func(caption string, images [][]float32) error {
		var b bytes.Buffer
		if err := figure.Strip(&b, p.Shape, images); err != nil {
			return err
		}
		all = append(all, p.picture(caption, b.Bytes(), image.Pt(p.Shape.W, p.Shape.H)))
		return nil
	}
	rows := []struct {
		caption string
		images  [][]float32
	}{
		{"Originals", p.Originals},
		{fmt.Sprintf("Reconstructions, %.1f dB on all of validation", m.PSNR), m.Outputs},
		{"Difference, ×2: grey is none, lighter is too light", figure.Differences(m.Outputs, p.Originals)},
		{"PCA's reconstructions from " + Values(m.Values), m.PCA},
	}
	for _, r := range rows {
		if r.images == nil {
			continue
		}
		if err := add(r.caption, r.images); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	sides, err := figure.LatentStrip(&b, m.Latent, m.Latents)
	if err != nil {
		return nil, err
	}
	return append(all, p.picture(fmt.Sprintf("Latent maps, %d channels of %d×%d, black to white", m.Latent.C, m.Latent.H, m.Latent.W), b.Bytes(), sides)), nil
}

func (p Pictures) picture(caption string, png []byte, sides image.Point) report.Picture {
	n := len(p.Originals)
	return report.Picture{
		Caption: caption, Alt: fmt.Sprintf("%s: %d images side by side", caption, n),
		URL:   "data:image/png;base64," + base64.StdEncoding.EncodeToString(png),
		Width: n * cell, Height: max(1, cell*sides.Y/sides.X),
	}
}

// fewer leaves out images at the end.
func (p Pictures) fewer(n int) Pictures {
	cut := func(images [][]float32) [][]float32 {
		if images == nil {
			return nil
		}
		return images[:n]
	}
	q := p
	q.Originals = cut(p.Originals)
	q.Members = slices.Clone(p.Members)
	for i := range q.Members {
		m := &q.Members[i]
		m.Outputs, m.Latents, m.PCA = cut(m.Outputs), cut(m.Latents), cut(m.PCA)
	}
	return q
}

// panels are the members' for the page, with as many images as its size allows.
func (p Pictures) panels(r *run.Run) ([]report.Member, error) {
	for {
		all, size := make([]report.Member, len(p.Members)), 0
		for i, m := range p.Members {
			t, err := r.Trained(m.ID)
			if err != nil {
				return nil, err
			}
			all[i] = report.Member{ID: m.ID, Layers: layers(t.Arch)}
			if all[i].Pictures, err = p.strips(m); err != nil {
				return nil, err
			}
			for _, strip := range all[i].Pictures {
				size += len(strip.URL)
			}
		}
		if n := len(p.Originals); size <= stripLoad || n <= 1 {
			return all, nil
		}
		p = p.fewer(max(1, min(len(p.Originals)-1, len(p.Originals)*stripLoad/size)))
	}
}

// varied picks n of the rows: of each class in turn, or, without classes or with
// more than n, at even distances.
func varied(set *dataset.Set, rows []int32, n int) []int32 {
	n = min(n, len(rows))
	classes := map[int32][]int32{}
	for _, r := range rows {
		label := int32(-1)
		if set.Labels != nil {
			label = set.Labels[r]
		}
		classes[label] = append(classes[label], r)
	}
	labels := slices.Sorted(maps.Keys(classes))
	picked := make([]int32, 0, n)
	if len(labels) == 1 || len(labels) > n {
		var all []int32
		for _, label := range labels {
			all = append(all, classes[label]...)
		}
		for i := range n {
			picked = append(picked, all[(2*i+1)*len(all)/(2*n)])
		}
		return picked
	}
	for i := 0; len(picked) < n; i++ {
		for _, label := range labels {
			if i < len(classes[label]) && len(picked) < n {
				picked = append(picked, classes[label][i])
			}
		}
	}
	return picked
}

// split cuts v into n equal parts.
func split(v []float32, n int) [][]float32 {
	parts := make([][]float32, n)
	for i := range parts {
		parts[i] = v[i*len(v)/n : (i+1)*len(v)/n]
	}
	return parts
}
