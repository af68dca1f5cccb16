package export

import (
	"encoding/json"
	"fmt"
	"math"

	"moncae/internal/metakey"
	"moncae/internal/onnxnet"
	"moncae/internal/version"
)

// DataRef is what the metadata moncae.dataset hold.
type DataRef struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// annotate sets the models' metadata.
func (c candidate) annotate(nets onnxnet.Networks) error {
	common := map[string]string{metakey.Version: version.Number(), metakey.Run: c.Run, metakey.Candidate: c.ID}
	for key, v := range map[string]any{
		metakey.Arch:    c.Arch,
		metakey.Dataset: DataRef{c.DataName, c.Fingerprint},
		metakey.Metrics: finite(c.Metrics),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		common[key] = string(b)
	}
	if len(c.Preprocess) > 0 {
		common[metakey.Preprocess] = string(c.Preprocess)
	}
	nets.Autoencoder.SetMetadata(common)
	common[metakey.Pair] = nets.Decoder.Hash()
	nets.Encoder.SetMetadata(common)
	common[metakey.Pair] = nets.Encoder.Hash()
	nets.Decoder.SetMetadata(common)
	return nil
}

// prepared is the run's preprocessing as the models carry it: one line, and
// with the layout and the scale of pixels that the models of Build take.
func prepared(run json.RawMessage) (json.RawMessage, error) {
	if len(run) == 0 {
		return nil, nil
	}
	var fields map[string]any
	if err := json.Unmarshal(run, &fields); err != nil {
		return nil, fmt.Errorf("preprocess: %w", err)
	}
	if fields == nil {
		return nil, fmt.Errorf("preprocess: %s; an object is wanted", run)
	}
	fields["layout"], fields["scale"] = "nchw", "unit" // unit: v/255
	return json.Marshal(fields)
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
