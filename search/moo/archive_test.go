package moo

import (
	"math"
	"math/rand/v2"
	"testing"
)

// At any time an archive has the hypervolume of all points that it was given.
func TestArchiveHasTheVolumeOfAllPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	a := Archive{Reference: Point{1, 1, 1}}
	var all []Point
	for range 60 {
		p := Point{1.2 * rng.Float64(), 1.2 * rng.Float64(), 1.2 * rng.Float64()}
		if rng.IntN(8) == 0 {
			p[1] = math.NaN()
		}
		all = append(all, p)
		before := a.Volume
		joined := a.Add(p)
		if want := Hypervolume(all, a.Reference); math.Abs(a.Volume-want) > 1e-12 {
			t.Fatalf("volume %v, of all points %v", a.Volume, want)
		}
		if joined != (a.Volume > before) || a.Add(p) {
			t.Errorf("%v joined: %v; volume %v, before %v", p, joined, a.Volume, before)
		}
	}
}
