package metric

import (
	"math"
	"testing"
)

// What scipy.stats.spearmanr (SciPy 1.17.1) gives.
func TestRankCorrelationIsThatOfSciPy(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}, 0.8207826816681233},
		{[]float64{0.1, 0.1, 0.2, 0.9, 0.3, 0.3}, []float64{4, 1, 1, 2, 2, 9}, 0.2727272727272727},
		{[]float64{3, 1, 2}, []float64{1, 3, 2}, -1},
	} {
		if got := RankCorrelation(c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
	for _, x := range [][]float64{nil, {1}, {2, 2, 2}} {
		if got := RankCorrelation(x, x); !math.IsNaN(got) {
			t.Errorf("%v with itself: %v", x, got)
		}
	}
}
