package export

import (
	"encoding/json"
	"math"

	"moncae/internal/onnxnet"
	"moncae/internal/version"
)

// DataRef is what the metadata moncae.dataset hold.
type DataRef struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// describe sets the models' metadata.
func (c Candidate) describe(nets onnxnet.Networks) error {
	common := map[string]string{onnxnet.KeyVersion: version.Number(), onnxnet.KeyRun: c.Run, onnxnet.KeyCandidate: c.ID}
	for key, v := range map[string]any{
		onnxnet.KeyArch:    c.Arch,
		onnxnet.KeyDataset: DataRef{c.DataName, c.Fingerprint},
		onnxnet.KeyMetrics: finite(c.Metrics),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		common[key] = string(b)
	}
	if len(c.Preprocess) > 0 {
		common[onnxnet.KeyPreprocess] = string(c.Preprocess)
	}
	nets.Autoencoder.SetMetadata(common)
	common[onnxnet.KeyPair] = nets.Decoder.Hash()
	nets.Encoder.SetMetadata(common)
	common[onnxnet.KeyPair] = nets.Encoder.Hash()
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
