package score

import (
	"strings"

	"moncae/internal/arch"
)

// Figures are the columns of the paper's Table 1 that are not times.
type Figures struct {
	BCE          float64 `json:"bce"` // reconstruction loss, nats
	LOC          float64 `json:"loc"`
	CrossEntropy float64 `json:"classification_loss"` // nats
	Accuracy     float64 `json:"accuracy"`
}

// Paper puts the means over a table's small members beside the paper's own.
type Paper struct {
	Threshold float64  `json:"threshold"` // members with LOC below it count
	Members   int      `json:"members"`   // that do
	Here      *Figures `json:"here"`      // null where none does
	Paper     Figures  `json:"paper"`     // means over 10 runs
}

// table1 are the paper's rows.
var table1 = []struct {
	names     []string
	image     arch.Shape
	threshold float64
	figures   Figures
}{
	{[]string{"mnist"}, arch.Shape{C: 1, H: 28, W: 28}, 2.5, Figures{0.141, 1.699, 0.409, 0.858}},
	{[]string{"fashion-mnist", "fashionmnist"}, arch.Shape{C: 1, H: 28, W: 28}, 2.5, Figures{0.316, 1.639, 0.524, 0.803}},
	{[]string{"cifar10", "cifar-10", "cifar10-jpeg"}, arch.Shape{C: 3, H: 32, W: 32}, 3.1, Figures{0.596, 2.150, 1.693, 0.402}},
}

// BesidePaper is nil where the paper has no row for the data.
func BesidePaper(data string, image arch.Shape, members []Member) *Paper {
	name, _, _ := strings.Cut(strings.ToLower(data), ".")
	for _, row := range table1 {
		for _, known := range row.names {
			if name == known && image == row.image {
				here, n := meanBelow(row.threshold, members)
				return &Paper{row.threshold, n, here, row.figures}
			}
		}
	}
	return nil
}

func meanBelow(threshold float64, members []Member) (*Figures, int) {
	var sum Figures
	n := 0
	for _, m := range members {
		if m.LOC < threshold {
			n++
			sum.BCE += m.BCE
			sum.LOC += m.LOC
			sum.CrossEntropy += m.CrossEntropy
			sum.Accuracy += m.Accuracy
		}
	}
	if n == 0 {
		return nil, 0
	}
	by := float64(n)
	return &Figures{sum.BCE / by, sum.LOC / by, sum.CrossEntropy / by, sum.Accuracy / by}, n
}
