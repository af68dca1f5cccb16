// Learnprior learns what is expected of a training from finished runs, and writes
// it as JSON on standard output:
//
//	go run ./internal/tools/learnprior RUN... >search/surrogate/prior.json
//
// The prior is a ridge regression of the level of every candidate's loss
// (surrogate.Target) on its features, with a level of its own for every run. Runs
// of `--algorithm random` are what to give it: scripts/learn_prior.sh makes them.
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
const ridge = 10

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
	var x [][]float64
	var y []float64
	levels := 0.0
	for _, path := range paths {
		r, err := search.Open(path)
		if err != nil {
			return err
		}
		features, seen, err := search.Observations(r)
		if err != nil {
			return err
		}
		mean := stat.Mean(seen, nil)
		levels += mean / float64(len(paths))
		for i := range seen {
			x, y = append(x, features[i]), append(y, seen[i]-mean)
		}
	}
	p := fit(x, y)
	p.Level = levels
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	return enc.Encode(p)
}

// fit learns the line of centred levels y.
func fit(x [][]float64, y []float64) surrogate.Prior {
	n, d := len(x), len(surrogate.Names)
	p := surrogate.Prior{Features: surrogate.Names, Mean: make([]float64, d), Scale: make([]float64, d), Weights: make([]float64, d)}
	m := mat.NewDense(n, d, nil)
	for k := range d {
		column := make([]float64, n)
		for i := range n {
			column[i] = x[i][k]
		}
		mean, deviation := stat.PopMeanStdDev(column, nil)
		p.Mean[k], p.Scale[k] = rounded(mean), max(rounded(deviation), 0.05)
		for i := range n {
			m.Set(i, k, (column[i]-p.Mean[k])/p.Scale[k])
		}
	}
	var gram mat.SymDense
	gram.SymOuterK(1, m.T())
	for k := range d {
		gram.SetSym(k, k, gram.At(k, k)+ridge)
	}
	var right, w mat.VecDense
	right.MulVec(m.T(), mat.NewVecDense(n, y))
	var chol mat.Cholesky
	if !chol.Factorize(&gram) {
		panic("learnprior: a ridge that is not positive definite")
	}
	if err := chol.SolveVecTo(&w, &right); err != nil {
		panic("learnprior: " + err.Error())
	}
	for k := range d {
		p.Weights[k] = rounded(w.AtVec(k))
	}
	return p
}

func rounded(v float64) float64 { return math.Round(1e4*v) / 1e4 }
