package export

import (
	"encoding/json"
	"math"

	"moncae/internal/version"
)

// The keys of the models' metadata.
const (
	KeyVersion    = "moncae.version"
	KeyArch       = "moncae.arch"       // arch.Arch, JSON
	KeyRun        = "moncae.run"        // the run's own id
	KeyCandidate  = "moncae.candidate"  // the candidate's id in the run
	KeyDataset    = "moncae.dataset"    // name and fingerprint, JSON
	KeyPreprocess = "moncae.preprocess" // how images become the input, JSON
	KeyMetrics    = "moncae.metrics"    // on validation images, JSON
	KeyPair       = "moncae.pair"       // the hash of the encoder's decoder, of the decoder's encoder
)

// DataRef is what KeyDataset holds.
type DataRef struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// describe sets the models' metadata.
func (c Candidate) describe(nets Networks) error {
	common := map[string]string{KeyVersion: version.Number(), KeyRun: c.Run, KeyCandidate: c.ID}
	for key, v := range map[string]any{
		KeyArch:    c.Arch,
		KeyDataset: DataRef{c.DataName, c.Fingerprint},
		KeyMetrics: finite(c.Metrics),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		common[key] = string(b)
	}
	if len(c.Preprocess) > 0 {
		common[KeyPreprocess] = string(c.Preprocess)
	}
	nets.Autoencoder.SetMetadata(common)
	common[KeyPair] = nets.Decoder.Hash()
	nets.Encoder.SetMetadata(common)
	common[KeyPair] = nets.Encoder.Hash()
	nets.Decoder.SetMetadata(common)
	return nil
}

// finite is m without NaN and infinities, which JSON has no words for.
func finite(m map[string]float64) map[string]float64 {
	kept := make(map[string]float64, len(m))
	for k, v := range m {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept[k] = v
		}
	}
	return kept
}
