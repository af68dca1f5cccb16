package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// The manifest's format and its newest version.
const (
	ManifestFormat  = "moncae.run"
	ManifestVersion = 1
)

// Manifest is run.json: what a run was asked to do. It never changes.
type Manifest struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Run is the run's own id: a hash of configuration, seed and data
	// fingerprint, and of nothing that two equal runs may differ in.
	Run        string          `json:"run"`
	Moncae     string          `json:"moncae"` // version of the program that made the run
	Seed       uint64          `json:"seed"`
	Objectives []string        `json:"objectives"`
	Reference  []float64       `json:"reference"`
	Config     json.RawMessage `json:"config"` // search.Config
	Data       Data            `json:"data"`
	Preprocess json.RawMessage `json:"preprocess,omitempty"`
	// EngineClass is an engine.Class, what the run's bits depend on beside the
	// above; runs of older versions have none.
	EngineClass json.RawMessage `json:"engine_class,omitempty"`
	// Repeatable is false where engines were mixed; nil: the same again gives the same bits.
	Repeatable *bool `json:"repeatable,omitempty"`
	// ValidationIDs are the training images that fitness comes from, ascending.
	ValidationIDs []int64 `json:"validation_ids"`
}

// Data names a run's data set.
type Data struct {
	Name         string          `json:"name"`
	Source       string          `json:"source"` // the --data argument; not part of the run's id
	Fingerprint  string          `json:"fingerprint"`
	Shape        arch.Shape      `json:"shape"`
	Columns      json.RawMessage `json:"columns,omitempty"`       // where images and labels stand, as was asked for
	TrainRows    int             `json:"train_rows"`              // validation images too
	TestFraction float64         `json:"test_fraction,omitempty"` // that is set apart where there is no test split; 0: dataset.DefaultTestFraction
}

func (m Manifest) encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", " "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func decodeManifest(file string, content []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fault.Damagedf("%s: %w", file, err)
	}
	if m.Format != ManifestFormat {
		return m, fault.Damagedf("%s: field format is %q, a run has %q", file, m.Format, ManifestFormat)
	}
	if m.Version < 1 || m.Version > ManifestVersion {
		return m, fault.Damagedf("%s: field version is %d; this moncae knows 1 to %d: use a newer one", file, m.Version, ManifestVersion)
	}
	return m, nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
