package rundir

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/regular"
)

// Files of a candidate's folder.
const (
	ArchFile      = "arch.json"
	WeightsFile   = "weights.safetensors"   // after the search's training
	FinetunedFile = "finetuned.safetensors" // after finetuning, where that won
)

// File is a file that a record vouches for; its path is relative to the run.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Network is arch.json: a candidate's network and how it was trained.
type Network struct {
	ID     string      `json:"id"`
	Arch   arch.Arch   `json:"arch"`
	Recipe arch.Recipe `json:"recipe"`
}

var idPattern = regexp.MustCompile(`^g[0-9]+-[0-9]+$`)

// WriteNetwork writes candidates/<id>/arch.json.
func (d *Dir) WriteNetwork(n Network) (File, error) {
	content, err := json.MarshalIndent(n, "", " ")
	if err != nil {
		return File{}, err
	}
	content = append(content, '\n')
	return d.write(n.ID, ArchFile, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// WriteWeights writes the network's weights to candidates/<id>/<name>.
func (d *Dir) WriteWeights(n Network, name string, weights arch.Weights) (File, error) {
	metadata := map[string]string{metakey.Run: d.Manifest.Run, metakey.Candidate: n.ID}
	return d.write(n.ID, name, func(w io.Writer) error {
		return WriteTensors(w, n.Arch.Params(), weights, metadata)
	})
}

// WriteFront writes front.json; its record comes first, so that a reader can
// tell a front of this run from a changed one at any moment.
func (d *Dir) WriteFront(content []byte) error {
	if err := d.Append(kindFront, File{FrontFile, sum(content)}); err != nil {
		return err
	}
	return d.fs.ReplaceBytes(d.file(FrontFile), content)
}

const kindFront = "front"

func (d *Dir) write(id, name string, fill func(io.Writer) error) (File, error) {
	if !idPattern.MatchString(id) {
		panic("rundir: candidate id " + id)
	}
	dir := d.file(CandidatesDir, id)
	if err := d.fs.OwnFolder(dir); err != nil {
		return File{}, err
	}
	h := newHasher()
	err := d.fs.Replace(filepath.Join(dir, name), func(w durable.Writer) error {
		return fill(io.MultiWriter(w, h))
	})
	return File{filepath.ToSlash(filepath.Join(CandidatesDir, id, name)), h.hex()}, err
}

// Network reads the arch.json that f vouches for.
func (d *Dir) Network(f File) (Network, error) {
	var n Network
	content, err := d.checked(f)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(content, &n); err != nil {
		return n, fault.Damagedf("%s: %w", d.file(f.Path), err)
	}
	if err := n.Arch.Validate(); err != nil {
		return n, fault.Damagedf("%s: %w", d.file(f.Path), err)
	}
	return n, nil
}

// Weights reads the weights of the network that f vouches for.
func (d *Dir) Weights(f File, n Network) (arch.Weights, error) {
	content, err := d.checked(f)
	if err != nil {
		return nil, err
	}
	w, err := ReadWeights(content, n.Arch.Params())
	if err != nil {
		return nil, fault.Damagedf("%s: %w", d.file(f.Path), err)
	}
	return w, nil
}

// checked reads a file and compares it with its hash.
func (d *Dir) checked(f File) ([]byte, error) {
	if !filepath.IsLocal(f.Path) {
		return nil, fault.Damagedf("%s: it names the file %q outside the run", d.file(JournalFile), f.Path)
	}
	content, err := regular.ReadFile(d.file(f.Path))
	if err != nil {
		return nil, missing(err)
	}
	if got := sum(content); got != f.SHA256 {
		return nil, fault.Damagedf("%s: its SHA-256 is %s, the journal has %s: put the original back, or have it made again (moncae doctor --repair)", d.file(f.Path), got, f.SHA256)
	}
	return content, nil
}

// missing sorts the error of opening a file that the journal vouches for: one that
// can't be read is the machine's failure, not damage.
func missing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fault.Damagedf("a file of the run is missing: %w", err)
	}
	return err
}
