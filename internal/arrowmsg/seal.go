package arrowmsg

import (
	"errors"
	"fmt"
	"hash"
	"hash/crc32"

	flatbuffers "github.com/google/flatbuffers/go"
)

// A sealed file has a checksum in the custom metadata of each message and of the
// footer, which other readers pass over: under sealKey the CRC-32C (Castagnoli), in
// eight hexadecimal digits, of the flatbuffer, with zeros for the digits, and of the
// body after it, paddings included.
const (
	sealKey    = "moncae.crc32c"
	sealDigits = "00000000"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewChecksum is the hash of seals.
func NewChecksum() hash.Hash32 { return crc32.New(castagnoli) }

// Digits are a checksum as seals have it.
func Digits(sum hash.Hash32) string { return fmt.Sprintf("%08x", sum.Sum32()) }

// place is where a seal's digits stand in a flatbuffer; 0: there is none.
type place int

// placeOf finds the seal among a table's custom metadata, a vector of KeyValue.
func placeOf(t flatbuffers.Table, field flatbuffers.VOffsetT) (place, error) {
	n := vectorLen(t, field)
	if n == 0 {
		return 0, nil
	}
	at := t.Vector(flatbuffers.UOffsetT(t.Offset(field)))
	for i := range n {
		entry := at + flatbuffers.UOffsetT(4*i)
		kv := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(entry)}
		key, value := flatbuffers.UOffsetT(kv.Offset(slot(0))), flatbuffers.UOffsetT(kv.Offset(slot(1)))
		if key == 0 || string(kv.ByteVector(kv.Pos+key)) != sealKey {
			continue
		}
		if value == 0 || len(kv.ByteVector(kv.Pos+value)) != len(sealDigits) {
			return 0, fmt.Errorf("its %s has not %d digits", sealKey, len(sealDigits))
		}
		text := value + kv.Pos
		return place(text + kv.GetUOffsetT(text) + flatbuffers.SizeUOffsetT), nil
	}
	return 0, nil
}

// digits are those of a flatbuffer with its seal at p, and of the body behind it.
func (p place) digits(meta []byte, body ...[]byte) string {
	sum := NewChecksum()
	for _, b := range append([][]byte{meta[:p], []byte(sealDigits), meta[int(p)+len(sealDigits):]}, body...) {
		sum.Write(b)
	}
	return Digits(sum)
}

// check holds meta and body against the seal. All messages of a file have one, or none.
func (p place) check(sealed bool, meta []byte, body ...[]byte) error {
	switch {
	case !sealed && p == 0:
		return nil
	case !sealed:
		return errors.New("it has a checksum, others in the file have not: the file is damaged")
	case p == 0:
		return errors.New("its checksum is missing: the file is damaged")
	}
	got := string(meta[p:][:len(sealDigits)])
	if want := p.digits(meta, body...); got != want {
		return fmt.Errorf("its bytes have the checksum %s, it says %.8q: the file is damaged", want, got)
	}
	return nil
}

// wrapping makes a flatbuffer around one that is there.
type wrapping struct {
	*flatbuffers.Builder
	size flatbuffers.UOffsetT // of the one inside, which ends the new one
	seal flatbuffers.UOffsetT // the metadata's vector
	text flatbuffers.UOffsetT // the digits
}

// wrap takes inner, a multiple of 8 bytes, as the new buffer's end.
func wrap(inner []byte) *wrapping {
	w := &wrapping{Builder: flatbuffers.NewBuilder(len(inner) + 256), size: flatbuffers.UOffsetT(len(inner))}
	w.CreateByteVector(inner)
	key := w.CreateString(sealKey)
	w.text = w.CreateString(sealDigits)
	w.StartObject(2)
	w.PrependUOffsetTSlot(0, key, 0)
	w.PrependUOffsetTSlot(1, w.text, 0)
	kv := w.EndObject()
	w.StartVector(flatbuffers.SizeUOffsetT, 1, flatbuffers.SizeUOffsetT)
	w.PrependUOffsetT(kv)
	w.seal = w.EndVector(1)
	return w
}

// inside is the offset of what lies at pos of the buffer inside.
func (w *wrapping) inside(pos flatbuffers.UOffsetT) flatbuffers.UOffsetT { return w.size - pos }

// done ends the buffer, a multiple of 8 bytes, with root, and says where its digits are.
func (w *wrapping) done(root flatbuffers.UOffsetT) ([]byte, place) {
	w.Prep(8, flatbuffers.SizeUOffsetT)
	w.Finish(root)
	b := w.FinishedBytes()
	return b, place(len(b)) - place(w.text) + flatbuffers.SizeUOffsetT
}

// wrapMessage is message, as arrow-go made it, with a seal that is yet to be written.
func wrapMessage(message []byte) ([]byte, place) {
	t := flatbuffers.Table{Bytes: message, Pos: flatbuffers.GetUOffsetT(message)}
	w := wrap(message)
	w.StartObject(5)
	w.PrependInt16Slot(0, t.GetInt16Slot(slot(0), 0), 0)
	w.PrependByteSlot(1, t.GetByteSlot(slot(1), 0), 0)
	w.PrependUOffsetTSlot(2, w.inside(headerOf(t)), 0)
	w.PrependInt64Slot(3, t.GetInt64Slot(slot(3), 0), 0)
	w.PrependUOffsetTSlot(4, w.seal, 0)
	return w.done(w.EndObject())
}

// headerOf is where the header of a message lies.
func headerOf(t flatbuffers.Table) flatbuffers.UOffsetT {
	return t.Indirect(t.Pos + flatbuffers.UOffsetT(t.Offset(slot(2))))
}

// makeFooter is a sealed footer with the schema of a message.
func makeFooter(schema []byte, batches []block) []byte {
	t := flatbuffers.Table{Bytes: schema, Pos: flatbuffers.GetUOffsetT(schema)}
	w := wrap(schema)
	vector := func(blocks []block) flatbuffers.UOffsetT {
		w.StartVector(24, len(blocks), 8)
		for i := range blocks { // from the last: a buffer is built from its end
			k := blocks[len(blocks)-1-i]
			w.Prep(8, 24)
			w.PrependInt64(k.body)
			w.Pad(4)
			w.PrependInt32(int32(k.header))
			w.PrependInt64(k.at)
		}
		return w.EndVector(len(blocks))
	}
	none, all := vector(nil), vector(batches)
	w.StartObject(5)
	w.PrependInt16Slot(0, t.GetInt16Slot(slot(0), 0), 0)
	w.PrependUOffsetTSlot(1, w.inside(headerOf(t)), 0)
	w.PrependUOffsetTSlot(2, none, 0)
	w.PrependUOffsetTSlot(3, all, 0)
	w.PrependUOffsetTSlot(4, w.seal, 0)
	b, at := w.done(w.EndObject())
	copy(b[at:], at.digits(b))
	return b
}
