package columnar

import (
	"fmt"
	"os"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bounded refuses buffers that a file of its size can't stand for: a damaged
// length would else take all memory before anything else is noticed. It panics, as
// the Arrow libraries do, and rescue makes that the fault of the file.
type bounded struct {
	memory.Allocator
	most int
}

// A buffer may be so many times the file, for compression, and so much at least.
const (
	expansion   = 1000
	leastBuffer = 1 << 28
)

func allocator(disk *os.File) (memory.Allocator, error) {
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	return bounded{memory.DefaultAllocator, leastBuffer + expansion*int(info.Size())}, nil
}

func (b bounded) Allocate(size int) []byte {
	b.check(size)
	return b.Allocator.Allocate(size)
}

func (b bounded) Reallocate(size int, old []byte) []byte {
	b.check(size)
	return b.Allocator.Reallocate(size, old)
}

func (b bounded) check(size int) {
	if size < 0 || size > b.most {
		panic(fmt.Sprintf("a buffer of %d bytes", size))
	}
}
