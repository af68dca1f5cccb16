package engine

import (
	"errors"
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// Check tells what is wrong with the source: its slices must fit its shape and
// each other.
func (s Source) Check() error {
	if s.Shape.C < 1 || s.Shape.H < 1 || s.Shape.W < 1 {
		return fmt.Errorf("data: shape %v: every side must be at least 1", s.Shape)
	}
	if (len(s.Images) == 0) == (len(s.Features) == 0) {
		return fmt.Errorf("data: %d image bytes and %d features: one of them must be there", len(s.Images), len(s.Features))
	}
	if n := max(len(s.Images), len(s.Features)); n%s.Shape.Values() != 0 {
		return fmt.Errorf("data: %d values are not a whole number of %v", n, s.Shape)
	}
	if s.Labels != nil && len(s.Labels) != s.Rows() {
		return fmt.Errorf("data: %d labels for %d rows", len(s.Labels), s.Rows())
	}
	return nil
}

// Row writes row r as a network sees it: images scaled to [0, 1], or features.
func (s Source) Row(dst []float32, r int) {
	n := s.Shape.Values()
	if s.Features != nil {
		copy(dst[:n], s.Features[r*n:])
		return
	}
	for i, v := range s.Images[r*n : (r+1)*n] {
		dst[i] = float32(v) / 255
	}
}

// CheckCompile tells why net can't be compiled for data s with cfg: a precision
// that is not one of the engine's own, another shape, labels that are missing or
// no classes, unfit weights, an unknown optimiser.
func CheckCompile(net *graph.Net, s Source, cfg Config, own []Precision) error {
	if err := CheckPrecision(cfg.Precision, own); err != nil {
		return err
	}
	if s.Shape != net.Input {
		return fmt.Errorf("compile: the data's shape is %v, the network takes %v", s.Shape, net.Input)
	}
	if net.Loss == graph.CrossEntropy {
		if s.Labels == nil {
			return fmt.Errorf("compile: a classifier needs labels, the data has none")
		}
		for i, l := range s.Labels {
			if l < 0 || int(l) >= net.Output.C {
				return fmt.Errorf("compile: row %d has label %d, the network has classes 0 … %d", i, l, net.Output.C-1)
			}
		}
	}
	recipe := arch.Recipe{Optimizer: cfg.Optimizer, Schedule: arch.Constant, LearningRate: 1}
	if err := recipe.Validate(); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	if err := cfg.Weights.Check(net.Params); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	return nil
}

// CheckRows tells the first of rows that data of n rows doesn't have.
func CheckRows(rows []int32, n int) error {
	for i, r := range rows {
		if r < 0 || int(r) >= n {
			return fmt.Errorf("rows[%d] is %d, the data has rows 0 … %d", i, r, n-1)
		}
	}
	return nil
}

// CheckTrain tells what is wrong with the arguments of Program.Train.
func CheckTrain(net *graph.Net, n int, rows []int32, rates, losses []float32) error {
	if len(rows) != len(rates)*net.Batch {
		return fmt.Errorf("train: %d rows for %d steps of %d: there must be %d", len(rows), len(rates), net.Batch, len(rates)*net.Batch)
	}
	if len(losses) != len(rates) {
		return fmt.Errorf("train: room for %d losses of %d steps", len(losses), len(rates))
	}
	if err := CheckRows(rows, n); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// CheckEvaluate tells what is wrong with the rows of Program.Evaluate.
func CheckEvaluate(rows []int32, n int) error {
	if len(rows) == 0 {
		return errors.New("evaluate: no rows, and so no means")
	}
	if err := CheckRows(rows, n); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	return nil
}

// CheckInfer tells what is wrong with the arguments of Program.Infer.
func CheckInfer(net *graph.Net, n int, rows []int32, latent, output []float32) error {
	if want := len(rows) * net.Output.Values(); output != nil && len(output) != want {
		return fmt.Errorf("infer: room for %d output values, %d rows give %d", len(output), len(rows), want)
	}
	if latent != nil && net.Infer.Latent == nil {
		return fmt.Errorf("infer: a classifier has no latent")
	}
	if want := len(rows) * net.Latent.Values(); latent != nil && len(latent) != want {
		return fmt.Errorf("infer: room for %d latent values, %d rows give %d", len(latent), len(rows), want)
	}
	if err := CheckRows(rows, n); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	return nil
}
