// Learnprior learns what is expected of a training from finished runs, and writes
// it as JSON on standard output:
//
//	go run ./internal/tools/learnprior RUN... >search/surrogate/prior.json
//
// The prior is a ridge regression of the level of every candidate's loss
// (surrogate.Target) on its features, within every run: what runs differ by as wholes
// is no part of it. scripts/learn_prior.py makes the runs that it is learned from.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"moncae/search"
	"moncae/search/surrogate"
)

// ridge is the penalty of a squared weight, in observations.
const ridge = 300

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "learnprior:", err)
		os.Exit(1)
	}
}

func run(paths []string) error {
	if len(paths) == 0 {
		return fmt.Errorf("no run is given")
	}
	var runs []observations
	for _, path := range paths {
		r, err := search.Open(path)
		if err != nil {
			return err
		}
		features, seen, err := search.Observations(r)
		if err != nil {
			return err
		}
		if r.Config.Inherit {
			return fmt.Errorf("%s: its children inherited weights, and a prior is learned from trainings that stand alone: search with --inherit=false", path)
		}
		runs = append(runs, observations{features, seen})
	}
	p := fit(runs)
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	return enc.Encode(p)
}

// observations are a run's candidates: features, and the levels of their losses.
type observations struct {
	x [][]float64
	y []float64
}

// fit learns the line.
func fit(runs []observations) surrogate.Prior {
	p := scales(runs)
	d := len(p.Mean)
	gram, right := mat.NewDense(d, d, nil), mat.NewVecDense(d, nil)
	var middles, levels []float64 // by run: of each feature (d of them), of y
	for _, r := range runs {
		m := mat.NewDense(len(r.x), d, nil)
		for i, row := range r.x {
			for k, v := range row {
				m.Set(i, k, (v-p.Mean[k])/p.Scale[k])
			}
		}
		for k := range d {
			column := mat.Col(nil, k, m)
			middle := stat.Mean(column, nil)
			middles = append(middles, middle)
			for i := range column {
				m.Set(i, k, column[i]-middle)
			}
		}
		var square mat.Dense
		square.Mul(m.T(), m)
		gram.Add(gram, &square)
		var product mat.VecDense
		product.MulVec(m.T(), mat.NewVecDense(len(r.y), r.y))
		right.AddVec(right, &product)
		levels = append(levels, stat.Mean(r.y, nil))
	}
	for k := range d {
		gram.Set(k, k, gram.At(k, k)+ridge)
	}
	var w mat.VecDense
	if err := w.SolveVec(gram, right); err != nil {
		panic("learnprior: " + err.Error()) // the ridge keeps it well-conditioned
	}
	for k := range d {
		p.Weights[k] = rounded(w.AtVec(k))
	}
	for i, level := range levels {
		p.Level += (level - mat.Dot(&w, mat.NewVecDense(d, middles[i*d:(i+1)*d]))) / float64(len(levels))
	}
	return p
}

// scales are the means and deviations of all features.
func scales(runs []observations) surrogate.Prior {
	d := len(surrogate.Names)
	p := surrogate.Prior{Features: surrogate.Names, Mean: make([]float64, d), Scale: make([]float64, d), Weights: make([]float64, d)}
	for k := range d {
		var column []float64
		for _, r := range runs {
			for _, row := range r.x {
				column = append(column, row[k])
			}
		}
		mean, deviation := stat.PopMeanStdDev(column, nil)
		p.Mean[k], p.Scale[k] = rounded(mean), max(rounded(deviation), 0.05)
	}
	return p
}

func rounded(v float64) float64 { return math.Round(1e4*v) / 1e4 }
