package search

import (
	"cmp"
	"slices"

	"moncae/internal/baseline"
	"moncae/internal/run"
	"moncae/search/moo"
)

// Front is the front as it stands, baselines included.
func (s *Study) Front() Front { return s.frontOf(s.state.Candidates, s.pcas.at) }

// WhyEmpty says why there is no one on the front.
func (s *Study) WhyEmpty() string { return s.state.WhyEmpty(s.config, s.reference) }

// frontOf is the front of some of the run's candidates, beside pca's figures.
func (s *Study) frontOf(candidates []*Candidate, pca func(values int) *baseline.Figures) Front {
	m := s.dir.Manifest
	f := Front{
		Format: run.FrontFormat, Version: run.FrontVersion, Run: m.Run, Data: m.Data.Name, Split: "validation", Seed: m.Seed,
		Objectives: m.Objectives, Reference: m.Reference, Members: []Member{}, MeanImage: s.mean,
	}
	f.Floor.BCE, f.Calibration = s.floor, run.Calibrate(candidates)
	for _, c := range candidates {
		if c.Network != nil {
			f.Evaluations++
		} else {
			f.Refused++
		}
		if c.Search == nil {
			f.Failed++
		}
	}
	var points []moo.Point
	for _, c := range run.Members(s.config, s.reference, candidates, (*Candidate).Best) {
		f.Members = append(f.Members, s.member(c, pca))
		points = append(points, s.config.Point(c.Best().Values))
	}
	f.Hypervolume = moo.Hypervolume(points, s.reference)
	slices.SortStableFunc(f.Members, func(a, b Member) int { return cmp.Compare(a.Values, b.Values) })
	elapsed := s.used()
	f.Seconds = &elapsed
	return f
}

func (s *Study) member(c *Candidate, pca func(values int) *baseline.Figures) Member {
	r := c.Best()
	n := c.Latent.Values()
	return Member{
		ID: c.ID, Latent: c.Latent, Values: n, LOC: r.Values[run.ObjectiveLOC], Ratio: float64(s.set.Shape.Values()) / float64(n),
		BCE: r.Figures.BCE, ExcessBCE: r.Figures.BCE - s.floor, MSE: r.Figures.MSE, PSNR: r.Figures.PSNR, SSIM: r.Figures.SSIM,
		Params: c.Params, FLOPs: c.FLOPs, Epochs: r.Epochs, Objectives: s.objectives(r.Values), PCA: pca(n),
	}
}

// objectives are the values that the search is about.
func (s *Study) objectives(v run.Values) run.Values {
	out := run.Values{}
	for _, name := range s.config.Objectives {
		out[name] = v[name]
	}
	return out
}

// writeFront puts the front of all candidates on the disk.
func (s *Study) writeFront() (Front, error) {
	s.pcas.rest()
	return s.write(s.Front())
}

// writeSoon puts the front of candidates on the disk while the search goes on: with
// those of PCA's figures that are known, and the others on their way.
func (s *Study) writeSoon(candidates []*Candidate) (Front, error) {
	var sizes []int
	f := s.frontOf(candidates, func(values int) *baseline.Figures {
		sizes = append(sizes, values)
		figures, _ := s.pcas.known(values)
		return figures
	})
	s.pcas.later(sizes)
	return s.write(f)
}

func (s *Study) write(f Front) (Front, error) {
	content, err := f.Encode()
	if err != nil {
		return f, err
	}
	return f, s.dir.WriteFront(content)
}
