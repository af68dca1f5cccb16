//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"
	"sync"
	"time"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/driver"
)

// patience is how long a program waits for memory while no other program of the
// device finishes a call, or while another process has it.
var patience = 30 * time.Second

// moment is between two tries to get memory that another process has.
const moment = 200 * time.Millisecond

// budget admits programs by the memory that they will need, and keeps the
// blocks of closed ones, for freeing memory stops every stream of a device.
type budget struct {
	mu       sync.Mutex
	whole    int64 // bytes that programs and data may have
	capacity int64 // the same, less what others were found to use
	reserved int64 // by programs and data, in bytes
	holders  int   // programs
	idle     []memoryBlock
	waiting  int           // callers of reserve
	changed  chan struct{} // closed when something is released or a call has ended
}

type memoryBlock struct {
	at    cu.DevicePtr
	bytes int64
}

func newBudget(capacity int64) *budget {
	return &budget{whole: capacity, capacity: capacity, changed: make(chan struct{})}
}

// load is the number of programs, and below one the share of the memory that is
// spoken for.
func (b *budget) load() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return float64(b.holders) + min(float64(b.reserved)/float64(b.whole), 0.99)
}

// reserve speaks for a program's memory, waiting while others that work hold it.
func (b *budget) reserve(bytes int64) error {
	for {
		b.mu.Lock()
		if b.reserved+bytes <= b.capacity {
			b.reserved += bytes
			b.holders++
			b.mu.Unlock()
			return nil
		}
		capacity, changed := b.capacity, b.changed
		hopeless := b.holders == 0 || bytes > capacity
		b.waiting++
		b.mu.Unlock()
		if !hopeless {
			select {
			case <-changed:
			case <-time.After(patience):
				hopeless = true
			}
		}
		b.mu.Lock()
		b.waiting--
		b.mu.Unlock()
		if hopeless {
			return tooLarge(bytes, capacity)
		}
	}
}

func tooLarge(bytes, capacity int64) error {
	return fmt.Errorf("%w: %d MiB are needed, the device has %d MiB for programs and data", engine.ErrMemory, bytes>>20, capacity>>20)
}

// release gives a program's reservation back.
func (b *budget) release(bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved -= bytes
	b.holders--
	if b.holders == 0 {
		b.capacity = b.whole
	}
	b.wake()
}

// shrink lowers the capacity to what is in use beside a program whose memory
// the device refused: others use the device too.
func (b *budget) shrink(bytes int64) (others bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.capacity = max(b.reserved-bytes, bytes)
	return b.holders > 1
}

// lend takes memory of data, which stays, off the whole; give it back negative.
func (b *budget) lend(bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole -= bytes
	b.capacity -= bytes
}

// worked tells those who wait that the device is alive.
func (b *budget) worked() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake()
}

func (b *budget) wake() {
	if b.waiting == 0 {
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// take allocates memory that is reserved, from the idle blocks if one fits.
func (b *budget) take(bytes int64) (memoryBlock, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	best := -1
	for i, m := range b.idle {
		if m.bytes >= bytes && m.bytes <= 2*bytes && (best < 0 || m.bytes < b.idle[best].bytes) {
			best = i
		}
	}
	if best >= 0 {
		m := b.idle[best]
		b.idle = append(b.idle[:best], b.idle[best+1:]...)
		return m, nil
	}
	at, err := cu.MemAlloc(bytes)
	if driver.IsMemory(err) && len(b.idle) > 0 {
		if err := b.free(); err != nil {
			return memoryBlock{}, err
		}
		at, err = cu.MemAlloc(bytes)
	}
	if driver.IsMemory(err) {
		return memoryBlock{}, fmt.Errorf("%w: the device refused %d MiB", engine.ErrMemory, bytes>>20)
	}
	if err != nil {
		return memoryBlock{}, fmt.Errorf("allocating %d bytes: %w", bytes, err)
	}
	return memoryBlock{at, bytes}, nil
}

// put keeps a block for the next program.
func (b *budget) put(m memoryBlock) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle = append(b.idle, m)
}

// trim frees the idle blocks.
func (b *budget) trim() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free()
}

func (b *budget) free() error {
	idle := b.idle
	b.idle = nil
	for _, m := range idle {
		if err := cu.MemFree(m.at); err != nil {
			return fmt.Errorf("freeing device memory: %w", err)
		}
	}
	return nil
}

// forget drops the blocks that went with a context.
func (b *budget) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle = nil
}
