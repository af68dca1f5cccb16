package task

import "testing"

func TestScoresOfFinetunedWeights(t *testing.T) {
	reference := 0.3
	both, probeAlone := Within{Loss: &reference, Error: 0.5}, Within{Error: 0.5}
	type point struct{ loss, wrong float64 }
	for _, x := range []struct {
		within        Within
		better, worse point
		why           string
	}{
		{both, point{0.1, 0.1}, point{0.2, 0.1}, "a lower loss"},
		{both, point{0.2, 0.1}, point{0.2, 0.2}, "a lower error"},
		{both, point{0.1, 0.11}, point{0.2, 0.1}, "a loss that makes up for a little error"},
		{both, point{0.2, 0.1}, point{0.19, 0.2}, "an error that a little loss doesn't make up for"},
		{both, point{0.29, 0.49}, point{0.31, 0}, "within the reference"},
		{both, point{0.4, 0.6}, point{0.5, 0.1}, "beyond the reference, a lower loss"},
		{probeAlone, point{0.4, 0.1}, point{0.1, 0.2}, "where the loss is no objective, a lower error"},
	} {
		better, worse := x.within.score(x.better.loss, x.better.wrong), x.within.score(x.worse.loss, x.worse.wrong)
		if !(better < worse) {
			t.Errorf("%s: %v has %v, %v has %v", x.why, x.better, better, x.worse, worse)
		}
	}
}
