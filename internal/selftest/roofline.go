package selftest

import (
	"fmt"

	"moncae/internal/bench"
	"moncae/internal/engine"
)

// Roofline is a training step of a network, and what the device does at best: a copy of
// its memory and a large matrix product, both measured on it.
type Roofline struct {
	Network        string           `json:"network"`
	Precision      engine.Precision `json:"precision"`
	Steps          int              `json:"steps"` // launches and calls of a library
	Bytes          int64            `json:"bytes"`
	MACs           int64            `json:"multiply_adds"`
	BytesPerSecond float64          `json:"bytes_per_second"`
	MACsPerSecond  float64          `json:"multiply_adds_per_second"`
	Bound          float64          `json:"bound_us"` // the steps' least times, added
}

// peaksIn measures what the device does at best; an engine that can't is left as it is.
func (t *trials) peaksIn(p engine.Precision) (peaks engine.Peaks, err error) {
	peaker, ok := t.engine.(engine.Peaker)
	if !ok {
		return peaks, nil
	}
	return peaks, t.check("peaks in "+string(p), func() (_ string, err error) {
		if peaks, err = peaker.Peaks(p); err != nil {
			peaks = engine.Peaks{}
			return "", err
		}
		return fmt.Sprintf("%.4g GB/s, %.4g · 10¹² multiply-adds/s", peaks.Bytes/1e9, peaks.MACs/1e12), nil
	})
}

// roofline writes down what a network's step can't do without, and gives the least time
// that it takes, in seconds; 0 where that isn't known.
func (t *trials) roofline(network string, r bench.Result, peaks engine.Peaks) (seconds float64, err error) {
	if len(r.Costs) == 0 || peaks.Devices == 0 {
		return 0, nil
	}
	line := Roofline{Network: network, Precision: r.Precision, Steps: len(r.Costs), BytesPerSecond: peaks.Bytes, MACsPerSecond: peaks.MACs}
	for _, c := range r.Costs {
		line.Bytes += c.Bytes
		line.MACs += c.MACs
	}
	seconds = peaks.Bound(r.Costs)
	line.Bound = 1e6 * seconds
	return seconds, t.emit(Entry{Roofline: &line})
}
