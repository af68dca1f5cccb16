package dataset

import "math"

// Stats describe the pixels and labels of some rows. Pixel values are
// float32(v)/float32(255), sums are float64.
type Stats struct {
	Rows      int        `json:"rows"`
	Mean      []float32  `json:"-"`                  // the mean image, C·H·W values
	MeanValue float64    `json:"mean"`               // over all values
	Deviation float64    `json:"standard_deviation"` // over all values
	Floor     float64    `json:"bce_floor"`          // mean of −x·ln x − (1−x)·ln(1−x), in nats: no reconstruction has a smaller BCE
	Histogram [256]int64 `json:"histogram"`
	PerClass  []int      `json:"per_class"` // rows of each class; nil: unlabelled
}

// StatsOf goes through the given rows of s once; nil means all.
func StatsOf(s *Set, rows []int32) *Stats {
	if rows == nil {
		rows = make([]int32, s.Rows())
		for i := range rows {
			rows[i] = int32(i)
		}
	}
	st := &Stats{Rows: len(rows)}
	if s.Labels != nil {
		st.PerClass = make([]int, len(s.Classes))
	}
	sums := make([]uint64, s.Shape.Values())
	for _, r := range rows {
		for i, v := range s.Image(int(r)) {
			sums[i] += uint64(v)
			st.Histogram[v]++
		}
		if l := s.label(int(r)); l >= 0 {
			st.PerClass[l]++
		}
	}
	st.Mean = make([]float32, len(sums))
	for i, v := range sums {
		st.Mean[i] = float32(float64(v) / 255 / float64(max(len(rows), 1)))
	}
	st.fromHistogram()
	return st
}

// fromHistogram fills in what depends on the counts of values only.
func (s *Stats) fromHistogram() {
	var count, sum, squares, entropy float64
	for v, n := range s.Histogram {
		x := float64(float32(v) / float32(255))
		count += float64(n)
		sum += float64(n) * x
		squares += float64(n) * x * x
		entropy += float64(n) * pixelEntropy(x)
	}
	if count == 0 {
		return
	}
	s.MeanValue = sum / count
	s.Deviation = math.Sqrt(max(squares/count-s.MeanValue*s.MeanValue, 0))
	s.Floor = entropy / count
}

// pixelEntropy is −x·ln x − (1−x)·ln(1−x), 0 at the ends.
func pixelEntropy(x float64) float64 {
	if x <= 0 || x >= 1 {
		return 0
	}
	return -x*math.Log(x) - (1-x)*math.Log1p(-x)
}
