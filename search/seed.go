package search

import (
	"crypto/sha256"
	"encoding/binary"
)

// seedOf is a candidate's seed: eight bytes of a hash of the run's seed and the
// candidate's place.
func seedOf(seed uint64, generation, index int, purpose string) uint64 {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(generation))
	b = binary.LittleEndian.AppendUint64(b, uint64(index))
	sum := sha256.Sum256(append(b, purpose...))
	return binary.LittleEndian.Uint64(sum[:])
}

// seedOfNetwork is that of a training that has no place in a run.
func seedOfNetwork(seed uint64, identity string) uint64 {
	sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), identity...))
	return binary.LittleEndian.Uint64(sum[:])
}
