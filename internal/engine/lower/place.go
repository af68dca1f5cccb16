package lower

import (
	"slices"
	"sort"
)

// Block is memory that is needed from one step to another, both included.
type Block struct {
	Bytes       int
	First, Last int
}

func (b Block) meets(o Block) bool { return b.First <= o.Last && o.First <= b.Last }

// Place gives every block an offset that is a multiple of align, and says how
// much memory they need together: the largest first, each at the lowest place
// where no block of the same time lies.
func Place(blocks []Block, align int) (offsets []int, total int) {
	offsets = make([]int, len(blocks))
	bySize := make([]int, len(blocks))
	for i := range bySize {
		bySize[i] = i
	}
	sort.SliceStable(bySize, func(a, b int) bool { return blocks[bySize[a]].Bytes > blocks[bySize[b]].Bytes })
	var placed []int // by offset
	for _, t := range bySize {
		size, at := roundUp(blocks[t].Bytes, align), 0
		for _, q := range placed {
			if !blocks[q].meets(blocks[t]) {
				continue
			}
			if at+size <= offsets[q] {
				break
			}
			at = max(at, offsets[q]+roundUp(blocks[q].Bytes, align))
		}
		offsets[t] = at
		total = max(total, at+size)
		i := sort.Search(len(placed), func(i int) bool { return offsets[placed[i]] > at })
		placed = slices.Insert(placed, i, t)
	}
	return offsets, total
}
