//go:build nvidia && linux && amd64

package cuda

// history is what a program was trained with since its weights were set. It
// costs the host 4 bytes an image, and lets a training be repeated.
type history struct {
	rows  slab[int32]
	rates slab[float32]
}

func (h *history) add(rows []int32, rates []float32) {
	h.rows.add(rows)
	h.rates.add(rates)
}

// replay trains what on was trained with before.
func (h *history) replay(on *resident) error {
	batch := on.program.plan.Net.Batch
	rows := make([]int32, 0, chunk*batch)
	rates := make([]float32, 0, chunk)
	total := h.rates.length
	for at := 0; at < total; at += chunk {
		n := min(chunk, total-at)
		rows, rates = h.rows.read(rows[:0], at*batch, n*batch), h.rates.read(rates[:0], at, n)
		if err := on.train(rows, rates, make([]float32, n)); err != nil {
			return err
		}
	}
	return nil
}

// slab is a list in pieces, so that it grows without copies.
type slab[T any] struct {
	pieces [][]T
	length int
}

const piece = 1 << 18

func (s *slab[T]) add(values []T) {
	for len(values) > 0 {
		if s.length%piece == 0 {
			s.pieces = append(s.pieces, make([]T, 0, piece))
		}
		last := &s.pieces[len(s.pieces)-1]
		n := min(len(values), piece-len(*last))
		*last = append(*last, values[:n]...)
		values = values[n:]
		s.length += n
	}
}

// read appends n values from place at on to dst.
func (s *slab[T]) read(dst []T, at, n int) []T {
	for n > 0 {
		p := s.pieces[at/piece][at%piece:]
		p = p[:min(n, len(p))]
		dst = append(dst, p...)
		at += len(p)
		n -= len(p)
	}
	return dst
}
