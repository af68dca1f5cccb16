package search

import (
	"moncae/internal/scale"
	"moncae/search/algorithm"
)

const float32Bytes = 4

// Measured are a run's trainings of its search, by place, and the seconds of wall-clock
// time that its generations took. A place that was not trained for takes none.
func Measured(r *Run) (tasks []scale.Task, wall float64, err error) {
	tasks = make([]scale.Task, len(r.Generations)*r.Config.Population)
	for _, c := range r.Candidates {
		place := c.Generation*r.Config.Population + c.Index
		if c.Network == nil || place >= len(tasks) {
			continue
		}
		a, err := r.Arch(c)
		if err != nil {
			return nil, 0, err
		}
		tasks[place] = scale.Task{Seconds: c.Seconds, Cost: cost(a, 1), Bytes: float32Bytes * float64(c.Params)}
	}
	for _, g := range r.Generations {
		wall += g.Times.Wall
	}
	return tasks, wall, nil
}

// Sees says of a configuration's algorithm how many places are told before one is asked for.
func Sees(c Config) func(place int) int {
	return algorithm.New(c.Algorithm, algorithm.Problem{Population: c.Population, Generations: c.Generations, Window: c.Window}).Sees
}
