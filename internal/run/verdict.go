package run

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"moncae/internal/fault"
	"moncae/search/moo"
)

// What a member is chosen for, among those that are worth having.
const (
	ForFidelity = "fidelity" // the smallest loss
	ForSize     = "size"     // the fewest values; of these the smallest loss
	ForUse      = "use"      // the smallest error of the probe, where the search measured it
	ForKnee     = "knee"     // the best compromise: moo.Knee
)

// Purposes are all of these.
var Purposes = []string{ForFidelity, ForSize, ForUse, ForKnee}

// Verdict says what of a front is worth taking, by figures of validation images.
// Worth having are the members that beat PCA of as many values in BCE and in PSNR;
// where none does, those that beat it in one of them; where PCA can't be held against
// any, those that beat the mean image.
type Verdict struct {
	Compared  int               `json:"compared"` // members with a PCA beside them
	AheadBCE  int               `json:"ahead_bce"`
	AheadPSNR int               `json:"ahead_psnr"`
	AheadBoth int               `json:"ahead_both"`
	Take      map[string]string `json:"take"` // ids by purpose; empty where none is worth having
}

// Judge is the verdict on the front's members.
func (f Front) Judge() Verdict {
	v := Verdict{Take: map[string]string{}}
	for _, m := range f.Members {
		bce, psnr := m.ahead()
		v.Compared += one(m.PCA != nil)
		v.AheadBCE += one(bce)
		v.AheadPSNR += one(psnr)
		v.AheadBoth += one(bce && psnr)
	}
	for _, purpose := range Purposes {
		if m, ok := f.best(f.worth(), purpose); ok {
			v.Take[purpose] = m.ID
		}
	}
	return v
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ahead tells in what a member beats PCA of its size.
func (m Member) ahead() (bce, psnr bool) {
	return m.PCA != nil && m.BCE < m.PCA.BCE, m.PCA != nil && m.PSNR > m.PCA.PSNR
}

func (f Front) worth() []Member {
	var both, either, others []Member
	compared := false
	for _, m := range f.Members {
		bce, psnr := m.ahead()
		compared = compared || m.PCA != nil
		if m.BCE < f.MeanImage.BCE {
			others = append(others, m)
		}
		if bce && psnr {
			both = append(both, m)
		}
		if bce || psnr {
			either = append(either, m)
		}
	}
	switch {
	case !compared:
		return others
	case len(both) > 0:
		return both
	}
	return either
}

// best is the member for a purpose, if there is any, and it was measured.
func (f Front) best(members []Member, purpose string) (Member, bool) {
	loss := func(a, b Member) int { return cmp.Compare(a.BCE, b.BCE) }
	if slices.Contains(f.Objectives, ObjectiveLoss) {
		loss = func(a, b Member) int {
			return cmp.Compare(a.Objectives[ObjectiveLoss], b.Objectives[ObjectiveLoss])
		}
	}
	switch {
	case len(members) == 0:
		return Member{}, false
	case purpose == ForSize:
		return slices.MinFunc(members, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Values, b.Values), loss(a, b)) }), true
	case purpose == ForUse:
		if !slices.Contains(f.Objectives, ObjectiveProbe) {
			return Member{}, false
		}
		return slices.MinFunc(members, func(a, b Member) int {
			return cmp.Or(cmp.Compare(a.Objectives[ObjectiveProbe], b.Objectives[ObjectiveProbe]), loss(a, b))
		}), true
	case purpose == ForKnee:
		if knee := f.knee(f.Members); slices.ContainsFunc(members, func(m Member) bool { return m.ID == knee.ID }) {
			return knee, true // as the other commands have it
		}
		return f.knee(members), true
	}
	return slices.MinFunc(members, loss), true
}

func (f Front) knee(members []Member) Member {
	points := make([]moo.Point, len(members))
	for i, m := range members {
		for _, name := range f.Objectives {
			points[i] = append(points[i], m.Objectives[name])
		}
	}
	return members[moo.Knee(points)]
}

// Limits are what a member has to keep; 0 and nil: any. Figures are of validation images.
type Limits struct {
	MaxValues, MaxParams int
	MaxBCE               float64
	MinPSNR, MinSSIM     *float64 // decibels; either may be 0 or less, and is a limit then
}

func (l Limits) keeps(m Member) bool {
	return (l.MaxValues == 0 || m.Values <= l.MaxValues) && (l.MaxParams == 0 || m.Params <= l.MaxParams) &&
		(l.MaxBCE == 0 || m.BCE <= l.MaxBCE) && (l.MinPSNR == nil || m.PSNR >= *l.MinPSNR) && (l.MinSSIM == nil || m.SSIM >= *l.MinSSIM)
}

// String is the limits as `moncae choose` takes them.
func (l Limits) String() string {
	var s []string
	add := func(name string, v float64, given bool) {
		if given {
			s = append(s, fmt.Sprintf("--%s %g", name, v))
		}
	}
	least := func(name string, v *float64) {
		if v != nil {
			add(name, *v, true)
		}
	}
	add("max-values", float64(l.MaxValues), l.MaxValues != 0)
	add("max-params", float64(l.MaxParams), l.MaxParams != 0)
	least("min-psnr", l.MinPSNR)
	least("min-ssim", l.MinSSIM)
	add("max-bce", l.MaxBCE, l.MaxBCE != 0)
	return strings.Join(s, " ")
}

// Choose is the member for a purpose among those within the limits: of those that are
// worth having if one is, else of all.
func (f Front) Choose(l Limits, purpose string) (Member, error) {
	if purpose == ForUse && !slices.Contains(f.Objectives, ObjectiveProbe) {
		return Member{}, fault.Usagef("how useful the latents are was not measured in this search (objectives %s): search with --objectives loss,probe, or measure it by `moncae classify`",
			strings.Join(f.Objectives, ", "))
	}
	out := func(m Member) bool { return !l.keeps(m) }
	for _, members := range [][]Member{f.worth(), f.Members} {
		if m, ok := f.best(slices.DeleteFunc(slices.Clone(members), out), purpose); ok {
			return m, nil
		}
	}
	if len(f.Members) == 0 {
		return Member{}, fault.Usagef("the front is empty: there is nothing to choose from")
	}
	small := slices.MinFunc(f.Members, func(a, b Member) int { return cmp.Compare(a.Values, b.Values) })
	sharp := slices.MaxFunc(f.Members, func(a, b Member) int { return cmp.Compare(a.PSNR, b.PSNR) })
	return Member{}, fault.Usagef("no member keeps %s: the smallest is %s (values: %d, PSNR: %.1f dB), the most faithful %s (values: %d, PSNR: %.1f dB); loosen a limit, or search with --bound",
		l, small.ID, small.Values, small.PSNR, sharp.ID, sharp.Values, sharp.PSNR)
}
