package view

import (
	"strings"
	"testing"

	"moncae/internal/baseline"
	"moncae/internal/run"
)

// member is one whose PCA has a BCE of 0.2 and a PSNR of 15 dB.
func member(id string, values int, bce, psnr float64) run.Member {
	m := run.Member{ID: id, Values: values}
	m.BCE, m.PSNR = bce, psnr
	m.PCA = &baseline.Figures{}
	m.PCA.BCE, m.PCA.PSNR = 0.2, 15
	return m
}

func TestTheVerdictSaysWherePCAIsBetter(t *testing.T) {
	const advice = "PCA is better at most sizes"
	ahead, behind := member("g0-0", 1, 0.19, 16), member("g0-1", 4, 0.21, 14)
	for name, c := range map[string]struct {
		members []run.Member
		want    bool
	}{
		"one of three":     {[]run.Member{ahead, behind, behind}, true},
		"two of three":     {[]run.Member{ahead, ahead, behind}, false},
		"all in one alone": {[]run.Member{member("g0-2", 2, 0.19, 14), member("g0-3", 3, 0.19, 14)}, false},
	} {
		f := run.Front{Members: c.members}
		f.MeanImage.BCE = 0.3
		if got := strings.Contains(strings.Join(Verdict("digits", f), "\n"), advice); got != c.want {
			t.Errorf("%s ahead: %v, want %v\n%s", name, got, c.want, strings.Join(Verdict("digits", f), "\n"))
		}
	}
}
