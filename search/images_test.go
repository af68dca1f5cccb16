package search

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"moncae/internal/fault"
	"moncae/search/task"
)

func TestValidationIDs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, config(t), Options{})
	complete(t, s)
	ids := open(t, path).Manifest.ValidationIDs
	if len(ids) != 6 || !slices.IsSorted(ids) { // a tenth of 60
		t.Errorf("validation ids %v", ids)
	}
	for _, id := range ids {
		if slices.Contains(s.training, int32(id)) {
			t.Errorf("image %d is trained on and validated on", id)
		}
	}
	// The default reference: the mean training image's BCE on validation images.
	mean := make([]float64, 64)
	for _, r := range s.training {
		for k, v := range s.set.Image(int(r)) {
			mean[k] += float64(v) / 255 / 54
		}
	}
	bce := 0.0
	for _, r := range s.validation {
		for k, v := range s.set.Image(int(r)) {
			m := min(max(mean[k], 1e-4), 1-1e-4)
			x := float64(v) / 255
			bce -= (x*math.Log(m) + (1-x)*math.Log(1-m)) / 6 / 64
		}
	}
	if got := s.Reference(); math.Abs(got[0]-bce) > 1e-6*bce || got[1] != math.Log10(64) {
		t.Errorf("reference %v, want [%v %v]", got, bce, math.Log10(64))
	}
}

func TestTrainLimitIsForTheSearchAlone(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.TrainLimit = 20
	s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
	if len(s.limited) != 20 || len(s.training) != 54 {
		t.Errorf("%d of %d training images", len(s.limited), len(s.training))
	}
	for _, r := range s.limited {
		if !slices.Contains(s.training, r) {
			t.Errorf("row %d is not a training image", r)
		}
	}
	complete(t, s)
}

func TestSkippedImagesKeepTheirIDs(t *testing.T) {
	t.Parallel()
	set := images(40)
	set.IDs = make([]int64, 40)
	for i := range set.IDs {
		set.IDs[i] = int64(2 * i)
	}
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, config(t), set, Options{Engine: fakeEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
	complete(t, s)
	for _, id := range open(t, path).Manifest.ValidationIDs {
		if id%2 != 0 {
			t.Errorf("validation id %d", id)
		}
	}
	one := *images(1)
	if _, err := Create(filepath.Join(t.TempDir(), "run"), config(t), &one, Options{Engine: fakeEngine{}}); fault.Of(err) != fault.Usage {
		t.Errorf("one image: %v", err)
	}
}
