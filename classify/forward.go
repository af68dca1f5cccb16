package classify

import (
	"context"

	"moncae/internal/ort"
)

// forwardBatch is the number of rows that a session is given at once.
const forwardBatch = 256

// forward gives a session's outputs one after the other. progress, where not nil,
// hears of rows done.
func forward(ctx context.Context, s *ort.Session, rows int, x ort.Source, progress func(done, rows int)) ([]float32, error) {
	var all []float32
	err := s.Rows(ctx, rows, forwardBatch, x, func(y []float32, _, to int) {
		all = append(all, y...)
		if progress != nil {
			progress(to, rows)
		}
	})
	return all, err
}
