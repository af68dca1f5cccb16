//go:build onednn && cgo

package onednn

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/bench"
)

func network(t testing.TB, name string) arch.Arch {
	t.Helper()
	b, err := os.ReadFile("../../arch/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var a arch.Arch
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// go test -tags onednn -run '^$' -bench Train -v: images a second of one and two candidates.
func BenchmarkTrain(b *testing.B) {
	for _, name := range []string{"small", "medium", "large"} {
		b.Run(name, func(b *testing.B) {
			e, err := New()
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			for b.Loop() {
				r, err := bench.Train(e, bench.Options{Arch: network(b, name), Batch: 256, Duration: 2 * time.Second, Profile: true})
				if err != nil {
					b.Fatal(err)
				}
				for _, rate := range r.Rates {
					b.ReportMetric(rate.ImagesPerSecond, "images/s×"+string(rune('0'+rate.Candidates)))
				}
				for _, t := range r.Profile {
					b.Logf("%-44s %8.3f ms %4.0f %%  %.2f of peak", t.Step, t.MS, 100*t.Share, t.OfPeak)
				}
			}
		})
	}
}
