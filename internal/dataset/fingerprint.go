package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"moncae/internal/arch"
)

// Fingerprint identifies the content of a set: the SHA-256 (hex) of the shape
// (C, H, W as little-endian int64), the SHA-256 of all image bytes, and the
// SHA-256 of all labels (little-endian int32, −1 for none). It does not depend on
// names, paths or formats.
func Fingerprint(s *Set) string {
	h := newHasher(s.Shape)
	values := s.Shape.Values()
	for i := range s.Rows() {
		h.add(s.Images[i*values:(i+1)*values], s.label(i))
	}
	return h.sum()
}

// hasher makes a fingerprint as images go by.
type hasher struct {
	shape          arch.Shape
	images, labels hash.Hash
	word           [4]byte
}

func newHasher(shape arch.Shape) *hasher {
	return &hasher{shape: shape, images: sha256.New(), labels: sha256.New()}
}

func (h *hasher) add(image []uint8, label int32) {
	h.images.Write(image)
	binary.LittleEndian.PutUint32(h.word[:], uint32(label))
	h.labels.Write(h.word[:])
}

func (h *hasher) sum() string {
	var b []byte
	for _, side := range []int{h.shape.C, h.shape.H, h.shape.W} {
		b = binary.LittleEndian.AppendUint64(b, uint64(side))
	}
	b = h.labels.Sum(h.images.Sum(b))
	all := sha256.Sum256(b)
	return hex.EncodeToString(all[:])
}
