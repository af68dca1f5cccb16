package compress

import (
	"context"
	"errors"
	"io"

	"moncae/internal/latent"
)

// rowSource hands a pipeline's rows to a writer.
type rowSource struct {
	ctx  context.Context
	run  *run
	pipe *pipeline
	slab *slab
	left latent.Rows
	drop int64 // rows at the beginning that are written already
}

// peek is what next will give, nothing at the end.
func (s *rowSource) peek() (latent.Rows, error) {
	for s.left.Len() == 0 {
		if s.slab != nil {
			s.pipe.release(s.slab)
			s.slab = nil
		}
		slab, err := s.pipe.next(s.ctx)
		if err := s.ctx.Err(); err != nil {
			return latent.Rows{}, err
		}
		if errors.Is(err, io.EOF) {
			return latent.Rows{}, nil
		}
		if err != nil {
			return latent.Rows{}, err
		}
		for _, r := range slab.results {
			s.run.take(r)
		}
		s.slab, s.left = slab, slab.rows
		if n := int(min(s.drop, int64(s.left.Len()))); n > 0 {
			s.left, s.drop = s.left.Slice(n, s.left.Len(), s.values()), s.drop-int64(n)
		}
	}
	return s.left, nil
}

func (s *rowSource) values() int { return s.run.meta.Shape.Values() }

// next is a latent.Source.
func (s *rowSource) next(limit int) (latent.Rows, error) {
	rows, err := s.peek()
	if err != nil {
		return rows, err
	}
	if rows.Len() == 0 {
		return rows, io.EOF
	}
	n := rows.Len()
	if limit > 0 {
		n = min(n, limit)
	}
	s.left = rows.Slice(n, rows.Len(), s.values())
	s.run.rows += int64(n)
	return rows.Slice(0, n, s.values()), nil
}
