package plan

import "moncae/internal/engine/lower"

// alignment of buffers, in bytes: what cudaMalloc gives, and cuDNN likes.
const alignment = 256

// buffer is a piece of the arena; it lives from the first to the last step that
// names it. Training and inference never run at once, so their buffers share
// the arena: sequence tells them apart.
type buffer struct {
	lower.Block
	sequence int
}

// sequences: 0 is the training, 1 the inference.
const sequences = 2

// memory collects buffers while a graph is lowered.
type memory struct{ buffers []buffer }

func (m *memory) add(bytes int64, sequence int) Ref {
	m.buffers = append(m.buffers, buffer{lower.Block{Bytes: int(bytes), First: -1}, sequence})
	return Ref{In: Arena, Buffer: len(m.buffers) - 1}
}

// use notes that step names r.
func (m *memory) use(r Ref, step int) {
	if r.In != Arena {
		return
	}
	b := &m.buffers[r.Buffer]
	if b.First < 0 {
		b.First = step
	}
	b.Last = max(b.Last, step)
}

// place gives the buffers of each sequence their offsets, and the size of the
// larger one.
func (m *memory) place() (offsets []int64, total int64) {
	offsets = make([]int64, len(m.buffers))
	for sequence := range sequences {
		var blocks []lower.Block
		var which []int
		for i, b := range m.buffers {
			if b.sequence == sequence && b.First >= 0 {
				blocks, which = append(blocks, b.Block), append(which, i)
			}
		}
		at, size := lower.Place(blocks, alignment)
		for i, b := range which {
			offsets[b] = int64(at[i])
		}
		total = max(total, int64(size))
	}
	return offsets, total
}
