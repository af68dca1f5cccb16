package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/fault"
	"moncae/internal/metric"
	"moncae/internal/rundir"
	"moncae/search/moo"
)

// The front's format and its newest version.
const (
	FrontFormat  = "moncae.front"
	FrontVersion = 1
)

// Front is front.json, and what `moncae front --json` prints: the members with
// what they are held against. All figures are of validation images, on which the
// members were selected; BCE is in nats, BCE and MSE are means over all values.
type Front struct {
	Format      string        `json:"format"`
	Version     int           `json:"version"`
	Run         string        `json:"run"`
	Data        string        `json:"data"`
	Split       string        `json:"split"` // "validation"
	Seed        uint64        `json:"seed"`
	Objectives  []string      `json:"objectives"`
	Reference   []float64     `json:"reference"`
	Hypervolume float64       `json:"hypervolume"`
	Evaluations int           `json:"evaluations"`       // trainings of the search, failed ones too
	Failed      int           `json:"failed"`            // candidates without a score: refused, or failed in training
	Refused     int           `json:"refused,omitempty"` // of them, those that were not trained at all
	Seconds     *float64      `json:"seconds,omitempty"`
	Members     []Member      `json:"members"` // by rising number of values
	Verdict     *Verdict      `json:"verdict,omitempty"`
	MeanImage   baseline.Loss `json:"mean_image"`
	// Calibration is of the objectives that were forecast before the trainings.
	Calibration map[string]Calibration `json:"calibration,omitempty"`
	Floor       struct {
		BCE float64 `json:"bce"`
	} `json:"floor"`
}

// Calibration tells how good forecasts were.
type Calibration struct {
	Trainings       int     `json:"trainings"`        // that were forecast, and have a score
	RankCorrelation float64 `json:"rank_correlation"` // of forecasts and results (Spearman's)
}

// Calibrate compares what was forecast of candidates with what their trainings came
// to, by objective; nil where there is too little to compare.
func Calibrate(candidates []*Candidate) map[string]Calibration {
	forecasts, results := map[string][]float64{}, map[string][]float64{}
	for _, c := range candidates {
		if c.Forecast == nil || c.Search == nil {
			continue
		}
		for name, v := range c.Forecast.Values {
			forecasts[name], results[name] = append(forecasts[name], v), append(results[name], c.Search.Values[name])
		}
	}
	var all map[string]Calibration
	for name, x := range forecasts {
		if r := metric.RankCorrelation(x, results[name]); !math.IsNaN(r) {
			if all == nil {
				all = map[string]Calibration{}
			}
			all[name] = Calibration{len(x), r}
		}
	}
	return all
}

// Member is a candidate of the front.
type Member struct {
	ID         string            `json:"id"`
	Latent     arch.Shape        `json:"latent"`
	Values     int               `json:"values"`
	LOC        float64           `json:"loc"`
	Ratio      float64           `json:"ratio"` // values of an image, of the latent
	BCE        float64           `json:"bce"`
	ExcessBCE  float64           `json:"excess_bce"` // over the floor
	MSE        float64           `json:"mse"`
	PSNR       float64           `json:"psnr"`
	SSIM       float64           `json:"ssim"`
	Params     int               `json:"params"`
	FLOPs      int64             `json:"flops"`
	Epochs     int               `json:"epochs"`
	Objectives Values            `json:"objectives"`
	PCA        *baseline.Figures `json:"pca"` // null where PCA can't have so many values
}

// able are the candidates that are better than the reference in every objective
// and within the bounds, as they were bred. value tells which result of a
// candidate counts.
func able(c Config, reference moo.Point, candidates []*Candidate, value func(*Candidate) *Result) []*Candidate {
	return slices.DeleteFunc(inOrder(candidates), func(cand *Candidate) bool {
		r := value(cand)
		return r == nil || !c.Point(r.Values).Better(reference) || !r.Values.Within(c.Bounds)
	})
}

// Members are the candidates of the front: those able that none dominates. Of
// equals the first to be bred stands for all.
func Members(c Config, reference moo.Point, candidates []*Candidate, value func(*Candidate) *Result) []*Candidate {
	able := able(c, reference, candidates, value)
	points := make([]moo.Point, len(able))
	for i, cand := range able {
		points[i] = c.Point(value(cand).Values)
	}
	var front []*Candidate
	for _, i := range moo.NonDominated(points) {
		front = append(front, able[i])
	}
	return front
}

// inOrder sorts candidates as they were bred; a journal has them as they ended.
func inOrder(cs []*Candidate) []*Candidate {
	cs = slices.Clone(cs)
	slices.SortFunc(cs, func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Index, b.Index))
	})
	return cs
}

// Encode writes front.json, without seconds, so that equal runs have equal files, and
// without the verdict, which follows from the rest.
func (f Front) Encode() ([]byte, error) {
	f.Seconds, f.Verdict = nil, nil
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(f)
	return b.Bytes(), err
}

// decodeFront reads front.json.
func decodeFront(dir *rundir.Dir) (*Front, error) {
	content, ok, err := dir.Front()
	if err != nil || !ok {
		return nil, err
	}
	var f Front
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, fault.Damagedf("%s: %s: %w", dir.Path, rundir.FrontFile, err)
	}
	if f.Format != FrontFormat || f.Version < 1 || f.Version > FrontVersion {
		return nil, fault.Damagedf("%s: %s: format %q, version %d; this moncae knows %q, versions 1 to %d",
			dir.Path, rundir.FrontFile, f.Format, f.Version, FrontFormat, FrontVersion)
	}
	if f.Run != dir.Manifest.Run {
		return nil, fault.Damagedf("%s: %s is that of run %s, the run is %s", dir.Path, rundir.FrontFile, f.Run, dir.Manifest.Run)
	}
	return &f, nil
}

// Bounded is the front without the members that break a bound; the hypervolume is
// that of the rest.
func (f Front) Bounded(bounds []Bound) (Front, error) {
	kept := []Member{}
	var points []moo.Point
	for _, m := range f.Members {
		values := Values{ObjectiveLOC: m.LOC, ObjectiveParams: float64(m.Params), ObjectiveFLOPs: float64(m.FLOPs)}
		for name, v := range m.Objectives {
			values[name] = v
		}
		for _, b := range bounds {
			if _, ok := values[b.Objective]; !ok {
				return f, fault.Usagef("bound %v: %s was not measured in this run (objectives %v)", b, b.Objective, f.Objectives)
			}
		}
		if !values.Within(bounds) {
			continue
		}
		p := make(moo.Point, len(f.Objectives))
		for i, name := range f.Objectives {
			p[i] = m.Objectives[name]
		}
		kept, points = append(kept, m), append(points, p)
	}
	f.Members, f.Hypervolume = kept, moo.Hypervolume(points, f.Reference)
	return f, nil
}
