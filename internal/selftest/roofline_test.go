package selftest

import (
	"errors"
	"math"
	"strings"
	"testing"

	"moncae/internal/bench"
	"moncae/internal/engine"
)

// peaked is an engine whose device is measured at given rates.
type peaked struct {
	engine.Engine
	peaks engine.Peaks
	err   error
}

func (p peaked) Peaks(engine.Precision) (engine.Peaks, error) { return p.peaks, p.err }

func TestARooflineIsWrittenDown(t *testing.T) {
	var out strings.Builder
	tr := &trials{Setting: Setting{Out: &out}, engine: peaked{peaks: engine.Peaks{Bytes: 2e12, MACs: 1e14, Devices: 1}}}
	peaks, err := tr.peaksIn(engine.BFloat16)
	if err != nil {
		t.Fatal(err)
	}
	steps := bench.Result{Precision: engine.BFloat16, Costs: []engine.Cost{{Bytes: 4e6, MACs: 1e6}, {Bytes: 1e6, MACs: 1e9}}}
	seconds, err := tr.roofline("small", steps, peaks)
	if want := 2e-6 + 1e-5; err != nil || math.Abs(seconds-want) > 1e-12 {
		t.Errorf("%v s (%v), want %v", seconds, err, want)
	}
	for _, want := range []string{
		`"status":"pass","reason":"2000 GB/s, 100 · 10¹² multiply-adds/s"`,
		`{"roofline":{"network":"small","precision":"bf16","steps":2,"bytes":5000000,"multiply_adds":1001000000,"bytes_per_second":2000000000000,"multiply_adds_per_second":100000000000000,"bound_us":12}}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", out.String(), want)
		}
	}
}

// Where peaks can't be had, that is a line, and speeds are measured without them.
func TestNoRooflineWithoutPeaks(t *testing.T) {
	var out strings.Builder
	tr := &trials{Setting: Setting{Out: &out}, engine: peaked{peaks: engine.Peaks{Bytes: 1}, err: errors.New("a copy failed")}}
	peaks, err := tr.peaksIn(engine.Float32)
	if err != nil || peaks != (engine.Peaks{}) || !strings.Contains(out.String(), `"status":"fail","reason":"a copy failed"`) {
		t.Errorf("%+v, %v: %s", peaks, err, out.String())
	}
	if seconds, err := tr.roofline("small", bench.Result{Costs: []engine.Cost{{Bytes: 1}}}, peaks); seconds != 0 || err != nil {
		t.Errorf("%v s, %v, want none", seconds, err)
	}
}
