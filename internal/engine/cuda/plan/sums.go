package plan

import "encoding/binary"

// Sum is a gradient's last: the columns of Parts, of Width values each, are added. Half
// says that From has bfloat16, which one part alone does.
type Sum struct {
	From, To     Ref
	Parts, Width int
	Half         bool
}

// mean is a step's loss: parts whose sum is divided by count.
type mean struct {
	part  Ref
	parts int
	count float64
}

// Lines of the table in Sums are as sum_step has them (kernels/optimizer.cu).
const (
	sumBytes = 32
	halves   = 1024 // that a block converts
)

// later leaves a sum to the step's end, where all are one launch: only the optimiser
// reads gradients of weights.
func (l *lowering) later(s Sum) { l.sums = append(l.sums, s) }

// sumStep launches all sums, and the loss's mean.
func (l *lowering) sumStep() {
	blocks, table := 1, Ref{In: Sums}
	if len(l.sums) == 0 { // batch norms alone are trained
		table = Ref{In: Null}
	}
	for _, s := range l.sums {
		blocks += s.blocks()
	}
	l.emit(Launch{Kernel: "sum_step", Grid: [3]int{blocks, 1, 1}, Block: threads, Sums: l.sums, Args: []any{
		Ref{In: Base}, table, l.mean.part, int32(l.mean.parts), l.mean.count, Ref{In: Losses}, Ref{In: Counter}, Ref{In: Steps}}})
}

// columns launches a kernel that sums columns of parts; it takes the columns of a block last.
func (l *lowering) columns(kernel string, parts, width int, args ...any) {
	wide := columnsOf(parts)
	l.launch(kernel, [3]int{ceilDiv(width, wide), 1, 1}, append(args, int32(wide))...)
}

// columnsOf is how many columns a block sums, so that enough threads share one.
func columnsOf(parts int) int {
	wide := 32
	for wide > 8 && parts*wide > 4*threads {
		wide /= 2
	}
	return wide
}

// Bytes is the size of From.
func (s Sum) Bytes() int64 {
	bytes := int64(4)
	if s.Half {
		bytes = 2
	}
	return int64(s.Parts) * int64(s.Width) * bytes
}

// columns of a block.
func (s Sum) columns() int {
	if s.Half {
		return halves
	}
	return columnsOf(s.Parts)
}

func (s Sum) blocks() int { return ceilDiv(s.Width, s.columns()) }

// Table is what the region Sums holds for a step that ends so: a line for each block of
// sum_step but the first. address says where a place is.
func Table(sums []Sum, address func(Ref) uint64) []byte {
	var table []byte
	le := binary.LittleEndian
	base := address(Ref{In: Base})
	for _, s := range sums {
		wide := s.columns()
		for first := 0; first < s.Width; first += wide {
			table = le.AppendUint64(table, address(s.From)-base)
			table = le.AppendUint64(table, address(s.To)-base)
			table = le.AppendUint32(table, uint32(s.Parts))
			table = le.AppendUint32(table, uint32(s.Width))
			table = le.AppendUint32(table, uint32(first))
			if s.Half {
				table = le.AppendUint32(table, 0)
			} else {
				table = le.AppendUint32(table, uint32(wide))
			}
		}
	}
	return table
}

// Sums are those that end a training step.
func (p *Plan) Sums() []Sum {
	for _, s := range p.Train {
		if l, ok := s.(Launch); ok && l.Sums != nil {
			return l.Sums
		}
	}
	return nil
}

// TableBytes is the size of their Table.
func (p *Plan) TableBytes() int64 {
	lines := 0
	for _, s := range p.Sums() {
		lines += s.blocks()
	}
	return int64(lines) * sumBytes
}
