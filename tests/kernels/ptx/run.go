package ptx

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// Memory is a device's, in pieces at addresses of its own.
type Memory []Piece

// Piece is a piece of memory.
type Piece struct {
	Base  uint64
	Bytes []byte
}

func (m Memory) at(address uint64, n int) ([]byte, error) {
	for _, p := range m {
		if at := address - p.Base; address >= p.Base && at+uint64(n) <= uint64(len(p.Bytes)) {
			return p.Bytes[at:], nil
		}
	}
	return nil, fmt.Errorf("an access of %d bytes at %#x, where no memory is", n, address)
}

// Grid is a launch's shape.
type Grid struct{ Blocks, Threads [3]int }

// Count is what blocks took.
type Count struct {
	Blocks  int
	Issued  int             // instructions, of all warps
	Lines   int             // of 128 bytes that warps asked global memory for, one by one
	Banks   int             // accesses to shared memory, one for each time that a bank is asked again
	Sectors int             // of 32 bytes that a block touched, once each
	Cycles  int             // until a block's last warp ends, where it never waits for another's turn
	Touched map[uint64]bool // sectors, of all blocks
}

const lanes = 32

// block is one in the run.
type block struct {
	kernel  *Kernel
	memory  Memory
	shared  []byte
	grid    Grid
	at      [3]int
	count   *Count
	touched map[uint64]bool
}

// Run runs some blocks of a launch, by number, and counts.
func (k *Kernel) Run(memory Memory, grid Grid, args []uint64, blocks []int) (Count, error) {
	if len(args) != len(k.params) {
		return Count{}, fmt.Errorf("%s takes %d values, gets %d", k.Name, len(k.params), len(args))
	}
	count := Count{Blocks: len(blocks), Touched: map[uint64]bool{}}
	for _, n := range blocks {
		g := grid.Blocks
		b := &block{kernel: k, memory: memory, shared: make([]byte, k.Shared), grid: grid, at: [3]int{n % g[0], n / g[0] % g[1], n / g[0] / g[1]},
			count: &count, touched: map[uint64]bool{}}
		if err := b.run(args); err != nil {
			return count, fmt.Errorf("%s: %w", k.Name, err)
		}
		count.Sectors += len(b.touched)
		for s := range b.touched {
			count.Touched[s] = true
		}
	}
	return count, nil
}

// run takes each warp to the next barrier in turn.
func (b *block) run(args []uint64) error {
	t := b.grid.Threads
	threads := t[0] * t[1] * t[2]
	var warps []*warp
	for first := 0; first < threads; first += lanes {
		warps = append(warps, b.warp(first, min(threads-first, lanes), args))
	}
	for {
		waiting, clock := 0, 0
		for _, w := range warps {
			if err := w.run(); err != nil {
				return err
			}
			clock = max(clock, w.clock)
			if !w.done {
				waiting++
			}
		}
		if waiting == 0 {
			b.count.Cycles = max(b.count.Cycles, clock)
			return nil
		}
		if waiting != len(warps) {
			return fmt.Errorf("a barrier that %d of %d warps reach", waiting, len(warps))
		}
		for _, w := range warps {
			w.clock = clock
		}
	}
}

// warp is 32 threads that run one instruction at a time: those threads that are
// furthest behind in the code.
type warp struct {
	*block
	*frame
	done  bool
	clock int // when its next basic block may begin
}

// frame is a function's threads, by lane.
type frame struct {
	f      *function
	mask   uint32 // of threads that haven't ended
	pc     [lanes]int
	regs   [][lanes]uint64
	ready  []int // when a register can be read
	local  [lanes][]byte
	issued int // of the basic block
	last   int // when its last instruction was issued
}

func (f *function) frame(mask uint32) *frame {
	return &frame{f: f, mask: mask, regs: make([][lanes]uint64, f.regs), ready: make([]int, f.regs)}
}

func (b *block) warp(first, threads int, args []uint64) *warp {
	w := &warp{block: b, frame: b.kernel.frame(uint32(1<<threads - 1))}
	for i, r := range b.kernel.params {
		for l := range threads {
			w.regs[r][l] = args[i]
		}
	}
	t := b.grid.Threads
	for s, r := range b.kernel.special {
		for l := range threads {
			n := first + l
			own := []int{n % t[0], n / t[0] % t[1], n / t[0] / t[1]}
			w.regs[r][l] = uint64(slices.Concat(own, t[:], b.at[:], b.grid.Blocks[:])[s])
		}
	}
	if b.kernel.local > 0 {
		for l := range threads {
			w.local[l] = make([]byte, b.kernel.local)
		}
	}
	return w
}

// run goes on to a barrier or to the end.
func (w *warp) run() error {
	for w.mask != 0 {
		pc, active := w.front()
		in := &w.f.code[pc]
		if in.leader {
			w.settle()
		}
		if in.kind == barrier {
			if active != w.mask {
				return fmt.Errorf("a barrier that part of a warp reaches")
			}
			w.issue(in)
			w.settle()
			w.advance(active, pc+1)
			return nil
		}
		if err := w.step(in, active, pc); err != nil {
			return err
		}
	}
	w.settle()
	w.done = true
	return nil
}

// front are the threads that are furthest behind.
func (w *warp) front() (pc int, active uint32) {
	pc = int(^uint(0) >> 1)
	for m := w.mask; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		switch at := w.pc[l]; {
		case at < pc:
			pc, active = at, 1<<l
		case at == pc:
			active |= 1 << l
		}
	}
	return pc, active
}

func (w *warp) advance(active uint32, pc int) {
	for m := active; m != 0; m &= m - 1 {
		w.pc[bits.TrailingZeros32(m)] = pc
	}
}

// issue notes that an instruction is issued once what it reads is there. Within a basic
// block the order is free, as an assembler has it.
func (w *warp) issue(in *instruction) {
	at := w.clock
	if in.guard >= 0 {
		at = max(at, w.ready[in.guard])
	}
	for _, o := range in.from {
		if o.reg >= 0 {
			at = max(at, w.ready[o.reg])
		}
	}
	w.count.Issued += in.issue
	w.issued += in.issue
	w.last = max(w.last, at)
	w.written(in, at+in.delay)
}

func (w *warp) written(in *instruction, at int) {
	if in.to >= 0 {
		w.ready[in.to] = at
	}
	if in.kind == loadGlobal || in.kind == loadShared || in.kind == loadLocal || in.kind == compute && in.to < 0 {
		for _, r := range in.parts {
			w.ready[r] = at
		}
	}
}

// settle ends a basic block: what comes is issued behind all of it.
func (w *warp) settle() {
	w.clock = max(w.clock+w.issued, w.last)
	w.issued = 0
}

func (w *warp) step(in *instruction, active uint32, pc int) error {
	w.issue(in)
	taken := active
	if in.guard >= 0 {
		for m := active; m != 0; m &= m - 1 {
			if l := bits.TrailingZeros32(m); (w.regs[in.guard][l] != 0) == in.negated {
				taken &^= 1 << l
			}
		}
	}
	w.advance(active, pc+1)
	switch in.kind {
	case branch:
		w.settle()
		w.advance(taken, in.target)
	case leave:
		w.settle()
		w.mask &^= taken
	case call:
		return w.enter(in, taken)
	case compute:
		w.compute(in, taken)
	default:
		if taken != 0 {
			return w.access(in, taken)
		}
	}
	return nil
}

func (w *warp) value(o operand, lane int) uint64 {
	if o.reg < 0 {
		return o.value
	}
	return w.regs[o.reg][lane]
}

func (w *warp) compute(in *instruction, taken uint32) {
	for m := taken; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		if in.parts != nil {
			w.vector(in, l)
			continue
		}
		var v [3]uint64
		for i, o := range in.from {
			v[i] = w.value(o, l)
		}
		w.regs[in.to][l] = in.value(v[0], v[1], v[2])
	}
}

// vector puts the halves of a value together, or takes them apart.
func (w *warp) vector(in *instruction, l int) {
	if in.to >= 0 {
		w.regs[in.to][l] = w.value(in.from[0], l)&0xffffffff | w.value(in.from[1], l)<<32
		return
	}
	v := w.value(in.from[0], l)
	w.regs[in.parts[0]][l], w.regs[in.parts[1]][l] = v&0xffffffff, v>>32
}

// enter runs a function for some threads; it has no barrier.
func (w *warp) enter(in *instruction, taken uint32) error {
	w.settle()
	inner := &warp{block: w.block, frame: in.calls.frame(taken), clock: w.clock}
	for i, r := range in.calls.params {
		inner.regs[r] = w.regs[in.from[i].reg]
	}
	if err := inner.run(); err != nil {
		return err
	}
	for m := taken; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		w.regs[in.to][l] = inner.regs[in.calls.result][l]
	}
	w.clock = inner.clock
	w.ready[in.to] = inner.clock
	return nil
}

func (w *warp) access(in *instruction, taken uint32) error {
	size := in.bytes * max(len(in.parts), 1)
	var addresses [lanes]uint64
	for m := taken; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		addresses[l] = w.value(in.from[0], l) + in.offset
		place, err := w.place(in.kind, addresses[l], size, l)
		if err != nil {
			return err
		}
		if addresses[l]%uint64(size) != 0 {
			return fmt.Errorf("an access of %d bytes at %#x: no multiple of that", size, addresses[l])
		}
		w.move(in, place, l)
	}
	switch in.kind {
	case loadGlobal, storeGlobal:
		w.lines(addresses[:], taken, size)
	case loadShared, storeShared:
		w.banks(addresses[:], taken, size)
	}
	return nil
}

func (w *warp) place(k kind, address uint64, size, lane int) ([]byte, error) {
	m := w.shared
	switch k {
	case loadGlobal, storeGlobal:
		return w.memory.at(address, size)
	case loadLocal, storeLocal:
		m = w.local[lane]
	}
	if address+uint64(size) > uint64(len(m)) {
		return nil, fmt.Errorf("an access at %d of %d bytes", address, len(m))
	}
	return m[address:], nil
}

func (w *warp) move(in *instruction, place []byte, l int) {
	switch in.kind {
	case loadGlobal, loadShared, loadLocal:
		for i, r := range in.parts {
			w.regs[r][l] = get(place[i*in.bytes:], in.bytes)
		}
	default:
		if in.parts == nil {
			put(place, in.bytes, w.value(in.from[1], l))
		}
		for i, r := range in.parts {
			put(place[i*in.bytes:], in.bytes, w.regs[r][l])
		}
	}
}

func get(b []byte, size int) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func put(b []byte, size int, v uint64) {
	switch size {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	default:
		binary.LittleEndian.PutUint64(b, v)
	}
}

// lines counts what a warp asks global memory for.
func (w *warp) lines(addresses []uint64, taken uint32, size int) {
	var seen []uint64
	for m := taken; m != 0; m &= m - 1 {
		a := addresses[bits.TrailingZeros32(m)]
		for sector := a / 32; sector <= (a+uint64(size)-1)/32; sector++ {
			w.touched[sector] = true
			if line := sector / 4; !slices.Contains(seen, line) {
				seen = append(seen, line)
			}
		}
	}
	w.count.Lines += len(seen)
}

// banks counts how often shared memory is asked: a bank gives one word of 4 bytes at a
// time, to all threads that want it.
func (w *warp) banks(addresses []uint64, taken uint32, size int) {
	var words [lanes][]uint64
	most := 0
	for m := taken; m != 0; m &= m - 1 {
		a := addresses[bits.TrailingZeros32(m)]
		for word := a / 4; word <= (a+uint64(size)-1)/4; word++ {
			bank := &words[word%lanes]
			if !slices.Contains(*bank, word) {
				*bank = append(*bank, word)
				most = max(most, len(*bank))
			}
		}
	}
	w.count.Banks += most
}
