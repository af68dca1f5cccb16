package rundir

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"moncae/internal/fault"
	"moncae/internal/regular"
)

// The checkpoints' format and its newest version (docs/format/checkpoint.md).
const (
	CheckpointFormat  = "moncae.checkpoint"
	CheckpointVersion = 1
)

// Checkpoint is a training that was interrupted: a line of JSON, then the values of
// the tensors, then a checksum.
type Checkpoint struct {
	// Training says what is trained, from what, and on which engine: a checkpoint is
	// for a training that says the same.
	Training string
	// State is JSON that the trainer reads.
	State json.RawMessage
	// Singles and Doubles are tensors by name.
	Singles map[string][]float32
	Doubles map[string][]float64
}

type checkpointHeader struct {
	Format   string             `json:"format"`
	Version  int                `json:"version"`
	Training string             `json:"training"`
	State    json.RawMessage    `json:"state"`
	Tensors  []checkpointTensor `json:"tensors"`
}

type checkpointTensor struct {
	Name   string `json:"name"`
	Double bool   `json:"double,omitempty"`
	Values int    `json:"values"`
}

const checkpointSeal = len("00000000\n")

// WriteCheckpoint keeps c as candidates/<id>/<name>.checkpoint, in place of the one before.
func (d *Dir) WriteCheckpoint(id, name string, c Checkpoint) error {
	_, err := d.write(id, name+checkpointSuffix, c.Encode)
	return err
}

const checkpointSuffix = ".checkpoint"

// Encode writes the file.
func (c Checkpoint) Encode(w io.Writer) error {
	h := checkpointHeader{Format: CheckpointFormat, Version: CheckpointVersion, Training: c.Training, State: c.State}
	for _, name := range slices.Sorted(maps.Keys(c.Singles)) {
		h.Tensors = append(h.Tensors, checkpointTensor{Name: name, Values: len(c.Singles[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Doubles)) {
		h.Tensors = append(h.Tensors, checkpointTensor{Name: name, Double: true, Values: len(c.Doubles[name])})
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	to := io.MultiWriter(w, sum)
	if _, err := to.Write(append(header, '\n')); err != nil {
		return err
	}
	for _, t := range h.Tensors {
		values := any(c.Singles[t.Name])
		if t.Double {
			values = c.Doubles[t.Name]
		}
		if err := binary.Write(to, binary.LittleEndian, values); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%08x\n", sum.Sum32())
	return err
}

// ReadCheckpoint reads what WriteCheckpoint kept; ok is false where there is none.
func (d *Dir) ReadCheckpoint(id, name string) (c Checkpoint, ok bool, err error) {
	file := d.file(CandidatesDir, id, name+checkpointSuffix)
	content, err := regular.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	if c, err = DecodeCheckpoint(content); err != nil {
		return c, false, fault.Damagedf("%s: %w", file, err)
	}
	return c, true, nil
}

// DecodeCheckpoint reads the content of a file.
func DecodeCheckpoint(content []byte) (c Checkpoint, err error) {
	if len(content) < checkpointSeal {
		return c, fmt.Errorf("%d bytes are no checkpoint", len(content))
	}
	body, seal := content[:len(content)-checkpointSeal], string(content[len(content)-checkpointSeal:])
	if want := fmt.Sprintf("%08x\n", crc32.Checksum(body, castagnoli)); seal != want {
		return c, fmt.Errorf("it ends in %q, its bytes have the checksum %q", seal, want)
	}
	header, values, _ := bytes.Cut(body, []byte("\n"))
	var h checkpointHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return c, err
	}
	if h.Format != CheckpointFormat || h.Version < 1 || h.Version > CheckpointVersion {
		return c, fmt.Errorf("format %.40q, version %d; this moncae knows %q, versions 1 to %d", h.Format, h.Version, CheckpointFormat, CheckpointVersion)
	}
	c = Checkpoint{Training: h.Training, State: h.State, Singles: map[string][]float32{}, Doubles: map[string][]float64{}}
	for _, t := range h.Tensors {
		size := 4
		if t.Double {
			size = 8
		}
		if t.Values < 0 || t.Values > len(values)/size {
			return c, fmt.Errorf("tensor %.80q: %d values in %d bytes", t.Name, t.Values, len(values))
		}
		if t.Double {
			c.Doubles[t.Name] = make([]float64, t.Values)
			_, err = binary.Decode(values, binary.LittleEndian, c.Doubles[t.Name])
		} else {
			c.Singles[t.Name] = make([]float32, t.Values)
			_, err = binary.Decode(values, binary.LittleEndian, c.Singles[t.Name])
		}
		if err != nil {
			return c, fmt.Errorf("tensor %.80q: %w", t.Name, err)
		}
		values = values[size*t.Values:]
	}
	if len(values) > 0 {
		return c, fmt.Errorf("%d bytes follow the tensors", len(values))
	}
	return c, nil
}

// DropCheckpoint removes a checkpoint that is not needed any more, if it is there.
func (d *Dir) DropCheckpoint(id, name string) error {
	err := os.Remove(d.file(CandidatesDir, id, name+checkpointSuffix))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// verifyCheckpoints reads all checkpoints; one may go while it is looked for.
func (d *Dir) verifyCheckpoints(h *Health) error {
	names, err := d.glob(CandidatesDir + "/*/*" + checkpointSuffix)
	damage := []error{err}
	for _, name := range names {
		file := d.file(filepath.FromSlash(name))
		content, err := regular.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		h.Files++
		if err == nil {
			if _, err = DecodeCheckpoint(content); err != nil {
				err = fault.Damagedf("%s: %w: the training begins anew without it", file, err)
			}
		}
		damage = append(damage, err)
	}
	return errors.Join(damage...)
}
