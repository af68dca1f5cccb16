package plan

import "sort"

// alignment of buffers, in bytes: what cudaMalloc gives, and cuDNN likes.
const alignment = 256

// buffer is a piece of the arena; it lives from the first to the last step that
// names it. Training and inference never run at once, so their buffers share
// the arena: sequence tells them apart.
type buffer struct {
	bytes       int64
	sequence    int
	first, last int
}

// memory collects buffers while a graph is lowered.
type memory struct{ buffers []buffer }

func (m *memory) add(bytes int64, sequence int) Ref {
	m.buffers = append(m.buffers, buffer{bytes: (bytes + alignment - 1) / alignment * alignment, sequence: sequence, first: -1})
	return Ref{In: Arena, Buffer: len(m.buffers) - 1}
}

// use notes that step names r.
func (m *memory) use(r Ref, step int) {
	if r.In != Arena {
		return
	}
	b := &m.buffers[r.Buffer]
	if b.first < 0 {
		b.first = step
	}
	b.last = max(b.last, step)
}

// place gives every buffer the lowest offset that is free through its life, in
// the order of their first steps, and the size of the whole.
func (m *memory) place() (offsets []int64, total int64) {
	offsets = make([]int64, len(m.buffers))
	order := make([]int, len(m.buffers))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return m.buffers[order[a]].first < m.buffers[order[b]].first })
	var placed []int
	for _, i := range order {
		b := m.buffers[i]
		if b.first < 0 {
			continue
		}
		var alive []int
		for _, j := range placed {
			if o := m.buffers[j]; o.sequence == b.sequence && o.last >= b.first && o.first <= b.last {
				alive = append(alive, j)
			}
		}
		sort.Slice(alive, func(x, y int) bool { return offsets[alive[x]] < offsets[alive[y]] })
		var at int64
		for _, j := range alive {
			if offsets[j]-at >= b.bytes {
				break
			}
			at = max(at, offsets[j]+m.buffers[j].bytes)
		}
		offsets[i] = at
		placed = append(placed, i)
		total = max(total, at+b.bytes)
	}
	return offsets, total
}
