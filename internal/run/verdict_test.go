package run

import (
	"maps"
	"testing"

	"moncae/internal/baseline"
	"moncae/internal/fault"
)

// member has a figure beside PCA's: BCE and PSNR.
func member(id string, values int, bce, psnr, pcaBCE, pcaPSNR float64) Member {
	return Member{ID: id, Values: values, BCE: bce, PSNR: psnr, Objectives: Values{ObjectiveLoss: bce, ObjectiveLOC: float64(values)},
		PCA: &baseline.Figures{BCE: pcaBCE, PSNR: pcaPSNR}}
}

func TestVerdict(t *testing.T) {
	f := Front{Objectives: []string{ObjectiveLoss, ObjectiveLOC}, Members: []Member{
		member("neither", 2, .30, 10, .29, 11),
		member("bce-alone", 4, .25, 11, .26, 12),
		member("small", 8, .20, 13, .24, 12.5),
		member("knee", 10, .12, 14, .22, 13),
		member("large", 40, .11, 16, .15, 15),
		member("sharp", 50, .105, 16, .10, 17),
	}}
	got := f.Judge()
	if got.Compared != 6 || got.AheadBCE != 4 || got.AheadPSNR != 3 || got.AheadBoth != 3 {
		t.Errorf("%+v", got)
	}
	if want := map[string]string{ForFidelity: "large", ForSize: "small", ForKnee: "knee"}; !maps.Equal(got.Take, want) {
		t.Errorf("take %v, want %v", got.Take, want)
	}

	whole := Front{Objectives: f.Objectives, Members: []Member{
		member("small", 4, .20, 13, .24, 12), member("knee of these", 6, .12, 14, .22, 13), member("knee of all", 20, .07, 16, .15, 15), member("neither", 100, .05, 16, .04, 17),
	}}
	if v := whole.Judge(); v.Take[ForKnee] != "knee of all" {
		t.Errorf("the knee is %s, which isn't the front's", v.Take[ForKnee])
	}

	f.Members = f.Members[:2]
	if v := f.Judge(); v.Take[ForSize] != "bce-alone" {
		t.Errorf("where none beats PCA in both: %+v", v)
	}
	f.Members = f.Members[:1]
	if v := f.Judge(); len(v.Take) != 0 {
		t.Errorf("where PCA is better in all: %+v", v)
	}
	f.Members[0].PCA = nil
	for mean, want := range map[float64]string{.31: "neither", .29: ""} {
		f.MeanImage.BCE = mean
		if v := f.Judge(); v.Compared != 0 || v.Take[ForKnee] != want {
			t.Errorf("without PCA, beside a mean image's %g: %+v", mean, v)
		}
	}
}

func TestChoose(t *testing.T) {
	f := Front{Objectives: []string{ObjectiveLoss, ObjectiveLOC, ObjectiveProbe}, Members: []Member{
		member("a", 4, .25, 11, .26, 10), member("b", 8, .20, 13, .24, 12), member("worse", 9, .19, 13.5, .18, 14), member("c", 40, .11, 16, .15, 15),
	}}
	for i, probe := range []float64{.3, .1, .05, .2} {
		f.Members[i].Objectives[ObjectiveProbe] = probe
	}
	for _, c := range []struct {
		limits  Limits
		purpose string
		want    string
	}{
		{Limits{}, ForFidelity, "c"},
		{Limits{MaxValues: 9}, ForFidelity, "b"}, // of those worth having
		{Limits{MinPSNR: new(12.0)}, ForSize, "b"},
		{Limits{MinPSNR: new(13.2), MaxValues: 10}, ForSize, "worse"}, // no other keeps the limits
		{Limits{}, ForUse, "b"},
		{Limits{MaxBCE: .24, MaxValues: 20}, ForKnee, "b"},
	} {
		if m, err := f.Choose(c.limits, c.purpose); err != nil || m.ID != c.want {
			t.Errorf("%v for %s: %s, %v; want %s", c.limits, c.purpose, m.ID, err, c.want)
		}
	}
	if _, err := f.Choose(Limits{MaxValues: 3}, ForFidelity); fault.Of(err) != fault.Usage {
		t.Errorf("nothing is within the limits: %v", err)
	}
	f.Objectives = f.Objectives[:2]
	if _, err := f.Choose(Limits{}, ForUse); fault.Of(err) != fault.Usage {
		t.Errorf("the probe was not measured: %v", err)
	}
}
