package selftest

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"moncae/internal/arch"
	"moncae/internal/bench"
	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
)

// Speed is the throughput of whole training steps of some candidates side by side.
type Speed struct {
	Network         string           `json:"network"`
	Precision       engine.Precision `json:"precision"`
	Candidates      int              `json:"candidates"`
	ImagesPerSecond float64          `json:"images_per_second"` // of all of them
	// OfPeak is the rate of multiply-adds of one candidate over that of a large
	// matrix product on one thread, where the engine can measure that.
	OfPeak float64 `json:"of_gemm_peak,omitempty"`
	// OfRoofline is the least time of the steps, by Roofline, over what they took, where the
	// device's peaks can be measured. Tensors that stay in a cache may bring it above 1.
	OfRoofline float64 `json:"of_roofline,omitempty"`
}

const speedBatch = 256

// speeds measures the sample networks in every precision, 1 to 16 side by side.
func speeds(_ context.Context, t *trials) error {
	info := t.engine.Info()
	if info.Name == "ref" {
		return t.check("speed", func() (string, error) { return "", skipped{"the reference is slow by design"} })
	}
	for _, p := range info.Precisions {
		peaks, err := t.peaksIn(p)
		if err != nil {
			return err
		}
		for _, name := range []string{"small", "medium", "large"} {
			err := t.check(fmt.Sprintf("speed of %s in %s", name, p), func() (string, error) {
				return t.speedOf(name, p, info.Workers, peaks)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trials) speedOf(name string, p engine.Precision, workers int, peaks engine.Peaks) (note string, err error) {
	var side []int
	for n := 1; n <= min(16, 2*workers); n *= 2 {
		side = append(side, n)
	}
	r, err := bench.Train(t.engine, bench.Options{
		Arch: arch.Sample(name), Batch: speedBatch, Precision: p, Duration: time.Second, Workers: side, Profile: true,
	})
	if err != nil {
		return "", err
	}
	bound, err := t.roofline(name, r, peaks)
	if err != nil {
		return "", err
	}
	best, share := 0.0, 0.0
	for _, rate := range r.Rates {
		s := Speed{Network: name, Precision: p, Candidates: rate.Candidates, ImagesPerSecond: rate.ImagesPerSecond}
		if r.GemmGFLOPS > 0 && rate.Candidates == 1 {
			const passes = 3 // forward, and two products a layer on the way back
			s.OfPeak = passes * 2 * float64(r.FLOPs) * rate.ImagesPerSecond / (r.GemmGFLOPS * 1e9)
		}
		s.OfRoofline = rate.ImagesPerSecond / speedBatch * bound / float64(min(rate.Candidates, max(peaks.Devices, 1)))
		best, share = max(best, rate.ImagesPerSecond), max(share, s.OfRoofline)
		if err := t.emit(Entry{Speed: &s}); err != nil {
			return "", err
		}
	}
	if bound > 0 {
		return fmt.Sprintf("%.0f images/s at best, %.2g of the roofline", best, share), nil
	}
	return fmt.Sprintf("%.0f images/s at best", best), nil
}

// gpu is what cuda.Probe finds, without folders.
func gpu(t *trials) cuda.Report {
	r := cuda.Probe()
	if r.CuDNNPath != "" {
		r.CuDNNPath = filepath.Base(r.CuDNNPath)
	}
	for _, text := range []*string{&r.DriverError, &r.CuDNNError, &r.CuDNNMixed} {
		*text = t.plain(fmt.Errorf("%s", *text))
	}
	return r
}
