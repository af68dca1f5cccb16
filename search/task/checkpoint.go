package task

import (
	"encoding/json"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/rundir"
	"moncae/internal/train"
)

// kept is what of a train.Checkpoint is JSON.
type kept struct {
	Epoch     int            `json:"epoch"`
	Step      int            `json:"step"`
	Sum       float64        `json:"sum"`
	Steps     uint64         `json:"steps"` // since the training began
	Metrics   engine.Metrics `json:"metrics"`
	Score     *float64       `json:"score,omitempty"` // absent in older ones: the loss
	BestEpoch int            `json:"best_epoch"`
	Epochs    int            `json:"epochs"`
	History   []train.Epoch  `json:"history"`
	Rungs     []float64      `json:"rungs,omitempty"`
}

// The groups of tensors in a checkpoint; a name is group and parameter.
const (
	groupWeights = "weights/"
	groupSlot0   = "slot0/"
	groupSlot1   = "slot1/"
	groupAverage = "average/"
	groupBest    = "best/"
)

// Pack makes a file's content of a checkpoint (docs/format/checkpoint.md); training
// says what it is one of.
func Pack(training string, c train.Checkpoint) (rundir.Checkpoint, error) {
	state, err := json.Marshal(kept{c.Epoch, c.Step, c.Sum, c.State.Steps, c.Outcome.Metrics, &c.Outcome.Score, c.Outcome.BestEpoch, c.Outcome.Epochs, c.Outcome.History, c.Outcome.Rungs})
	out := rundir.Checkpoint{Training: training, State: state, Singles: map[string][]float32{}, Doubles: map[string][]float64{}}
	add := func(group string, w arch.Weights) {
		for name, v := range w {
			out.Singles[group+name] = v
		}
	}
	add(groupWeights, c.State.Weights)
	add(groupSlot0, c.State.Slots[0])
	add(groupSlot1, c.State.Slots[1])
	add(groupBest, c.Outcome.Weights)
	for name, v := range c.State.Averages {
		out.Doubles[groupAverage+name] = v
	}
	return out, err
}

// Unpack is the checkpoint of a network with these parameters that c holds.
func Unpack(c rundir.Checkpoint, params []arch.Param) (out train.Checkpoint, err error) {
	var k kept
	if err := json.Unmarshal(c.State, &k); err != nil {
		return out, err
	}
	group := func(prefix string) arch.Weights {
		w := arch.Weights{}
		for name, v := range c.Singles {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				w[rest] = v
			}
		}
		return w
	}
	out = train.Checkpoint{Epoch: k.Epoch, Step: k.Step, Sum: k.Sum, State: engine.State{
		Steps: k.Steps, Weights: group(groupWeights), Slots: [2]arch.Weights{group(groupSlot0), group(groupSlot1)}, Averages: map[string][]float64{},
	}, Outcome: train.Outcome{Metrics: k.Metrics, Score: k.Metrics.Loss, BestEpoch: k.BestEpoch, Epochs: k.Epochs, History: k.History, Rungs: k.Rungs}}
	if k.Score != nil {
		out.Outcome.Score = *k.Score
	}
	for name, v := range c.Doubles {
		if rest, ok := strings.CutPrefix(name, groupAverage); ok {
			out.State.Averages[rest] = v
		}
	}
	if best := group(groupBest); len(best) > 0 {
		if err := best.Check(params); err != nil {
			return out, err
		}
		out.Outcome.Weights = best
	}
	return out, out.State.Check(params)
}
