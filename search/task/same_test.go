package task

import (
	"encoding/json"
	"testing"
	"time"

	"moncae/internal/train"
	"moncae/internal/worker"
)

// Two results of a training may differ in their times, and in nothing else.
func TestSecondResultsDifferInTimesAlone(t *testing.T) {
	result := func(change func(*trained), weights string) worker.Result {
		r := trained{Outcome: train.Outcome{BestEpoch: 2, Epochs: 2, Steps: 20, History: []train.Epoch{{Train: 0.5, Validation: 0.4}}}, SSIM: 0.9}
		change(&r)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return worker.Result{Data: data, Parts: []worker.Part{worker.NewPart(partWeights, []byte(weights))}}
	}
	first := result(func(*trained) {}, "weights")
	for what, second := range map[string]struct {
		worker.Result
		same bool
	}{
		"times":   {result(func(r *trained) { r.Outcome.Phases.Train = time.Hour }, "weights"), true},
		"weights": {result(func(*trained) {}, "weightz"), false},
		"a loss":  {result(func(r *trained) { r.Outcome.History[0].Validation += 1e-12 }, "weights"), false},
		"ssim":    {result(func(r *trained) { r.SSIM = 0.8 }, "weights"), false},
		"nothing": {worker.Result{Data: []byte("{"), Parts: first.Parts}, false},
	} {
		if sameTrained(first, second.Result) != second.same {
			t.Errorf("%s: same is not %v", what, second.same)
		}
	}
}
