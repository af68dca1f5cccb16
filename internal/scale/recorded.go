package scale

import (
	_ "embed"
	"encoding/json"
	"math/rand/v2"
)

// recorded are the trainings of `moncae search --preset quick --data mnist-mini --seed 46
// --workers local:2` on two quiet cores of an AMD EPYC (avx512). It was made by
//
//	moncae bench scale --simulate RUN --workers 1 --json | python3 -c '
//	import json, sys
//	r = json.load(sys.stdin)
//	print(json.dumps({"from": "quick on mnist-mini", "seconds_cost_bytes": r["seconds_cost_bytes"]}))'
//
//go:embed recorded.json
var recorded []byte

// Recorded are the trainings of a real run, and which one it was.
func Recorded() (from string, tasks []Task) {
	var r struct {
		From  string       `json:"from"`
		Tasks [][3]float64 `json:"seconds_cost_bytes"`
	}
	if err := json.Unmarshal(recorded, &r); err != nil {
		panic(err) // a test reads it
	}
	for _, t := range r.Tasks {
		tasks = append(tasks, Task{Seconds: t[0], Cost: t[1], Bytes: t[2]})
	}
	return r.From, tasks
}

// Drawn are so many tasks, each one of those measured, which a seed draws.
func Drawn(tasks []Task, n int, seed uint64, times float64) []Task {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	drawn := make([]Task, n)
	for i := range drawn {
		t := tasks[rng.IntN(len(tasks))]
		t.Seconds *= times
		drawn[i] = t
	}
	return drawn
}
