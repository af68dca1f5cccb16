// Package score says what a classifier's logits come to on labelled rows, and has the
// tables of such scores that a run keeps.
//
// Promises: a score is of the logits given alone; logits that are not finite numbers
// are an error. A kept table comes as it was written, or as fault.Damaged.
package score

import (
	"fmt"
	"math"

	"moncae/internal/metric"
)

// Score is what a classifier's logits say about labelled rows.
type Score struct {
	Accuracy     float64    `json:"accuracy"`
	Interval95   [2]float64 `json:"interval95"`    // Wilson95 of the accuracy
	CrossEntropy float64    `json:"cross_entropy"` // mean over rows, nats
	Rows         int        `json:"rows"`
	PerClass     []Class    `json:"per_class"`
	// Confusion counts rows by [true class][predicted class]; null above
	// mostConfused classes, whose square is more than a report should hold.
	Confusion [][]int `json:"confusion"`

	said []int32 // the predicted class, by row
	hits []bool  // whether it is the right one
}

// Class is one class's part of a Score. Precision is null where the class was
// never predicted, Recall where no row has it.
type Class struct {
	Name      string   `json:"class"`
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
	Support   int      `json:"support"` // rows that have the class
}

// New scores logits, one row of len(classes) values a label. The predicted
// class is the first of the largest logits. Logits that are not numbers are an
// error: they would count as some class.
func New(logits []float32, labels []int32, classes []string) (Score, error) {
	k := len(classes)
	s := Score{Rows: len(labels), said: make([]int32, len(labels)), hits: make([]bool, len(labels))}
	right, loss := 0, 0.0
	for i, label := range labels {
		z := logits[i*k : (i+1)*k]
		best := largest(z)
		nats := metric.LogSumExp(z) - float64(z[label])
		if math.IsNaN(nats) || math.IsInf(nats, 0) {
			return s, fmt.Errorf("test row %d: the head's logits are not finite numbers: %v", i, z)
		}
		loss += nats
		s.said[i] = int32(best)
		if s.hits[i] = best == int(label); s.hits[i] {
			right++
		}
	}
	s.Accuracy = float64(right) / float64(s.Rows)
	s.Interval95 = Wilson95(right, s.Rows)
	s.CrossEntropy = loss / float64(s.Rows)
	s.PerClass = perClass(labels, s.said, classes)
	s.Confusion = confusion(labels, s.said, k)
	return s, nil
}

// mostConfused classes have a confusion matrix of 16 million numbers.
const mostConfused = 4096

func confusion(labels, said []int32, k int) [][]int {
	if k > mostConfused {
		return nil
	}
	counts := make([][]int, k)
	for i := range counts {
		counts[i] = make([]int, k)
	}
	for i, label := range labels {
		counts[label][said[i]]++
	}
	return counts
}

func perClass(labels, said []int32, names []string) []Class {
	has, spoken, right := make([]int, len(names)), make([]int, len(names)), make([]int, len(names))
	for i, label := range labels {
		has[label]++
		spoken[said[i]]++
		if said[i] == label {
			right[label]++
		}
	}
	cs := make([]Class, len(names))
	for k, name := range names {
		cs[k] = Class{name, share(right[k], spoken[k]), share(right[k], has[k]), has[k]}
	}
	return cs
}

func share(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	s := float64(part) / float64(whole)
	return &s
}

func largest(z []float32) int {
	best := 0
	for k, v := range z {
		if v > z[best] {
			best = k
		}
	}
	return best
}

// Against compares the score with another's on the same rows.
func (s Score) Against(other Score) *Paired { return pair(s.hits, other.hits) }

// Differs counts the rows that the other classifies otherwise.
func (s Score) Differs(other Score) (rows int) {
	for i, said := range s.said {
		if said != other.said[i] {
			rows++
		}
	}
	return rows
}
