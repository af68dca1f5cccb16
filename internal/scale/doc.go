// Package scale simulates a search on a cluster: measured trainings, given to workers by
// the search's own decisions (internal/schedule, and an algorithm's Sees), in a time of
// its own. It is for sizes that can't be tried, and for what limits a search there.
//
// Modelled are workers that die and nodes that are taken away (at random moments, a
// given time apart on average), slow workers, the data's way to each node, checkpoints,
// what the coordinator takes to keep a result and to decide on a training, and late
// trainings that idle workers try too. Connections have one speed and never fail; finetuning
// isn't simulated.
//
// Equal input gives an equal Result. Costs: about a second for 100,000 trainings on
// 10,000 workers.
package scale

// Task is a measured training.
type Task struct {
	Seconds float64 // on one worker; 0: the place takes a result that is there
	Cost    float64 // what the search expects it to take, in any unit
	Bytes   float64 // of its weights
}

// Plan is a search: its places, and how many are told before one is asked for.
type Plan struct {
	Tasks []Task
	Sees  func(place int) int
	// Waits is what Lost calls the time that workers wait for others' results.
	Waits string
}

// Cluster is what a plan is tried on. Times are in seconds.
type Cluster struct {
	Workers     int     `json:"workers"`
	NodeWorkers int     `json:"node_workers"` // workers of a node
	Start       float64 `json:"start"`        // until a worker's process has begun
	Data        float64 `json:"data_bytes"`   // that each node needs
	Bandwidth   float64 `json:"bandwidth"`    // bytes a second, of each node and the coordinator
	Results     float64 `json:"results"`      // that the coordinator keeps a second
	Decision    float64 `json:"decision"`     // a training; of one after the other
	Checkpoint  float64 `json:"checkpoint"`   // between two of a training; 0: none
	Failure     float64 `json:"failure"`      // of a worker, on average; 0: never
	Preemption  float64 `json:"preemption"`   // of a node, on average; 0: never
	Away        float64 `json:"away"`         // until there is another node
	Slow        float64 `json:"slow"`         // share of workers
	SlowBy      float64 `json:"slow_by"`      // how many times longer they take
	Backup      bool    `json:"backup"`       // idle workers try late trainings too
}

// What workers' time goes to but trainings.
const (
	Data       = "data travel"
	Starting   = "starts of workers"
	Preempted  = "preempted nodes"
	Redone     = "work that died with its worker"
	Stragglers = "slow workers"
	Twice      = "trainings tried twice"
	Deciding   = "decisions, one after the other"
	Keeping    = "results that wait to be kept"
)

// Result is what a simulation came to.
type Result struct {
	Workers     int     `json:"workers"`
	Trainings   int     `json:"trainings"`
	Failed      int     `json:"failed"` // whose workers died twice
	Deaths      int     `json:"deaths"`
	Preemptions int     `json:"preemptions"`
	Backups     int     `json:"backups"`
	Wall        float64 `json:"wall"`        // seconds
	Work        float64 `json:"work"`        // seconds of all trainings on one worker
	Utilisation float64 `json:"utilisation"` // share of the workers' time that went to trainings that count
	// Lost are the shares of what else it went to; with Utilisation they are 1.
	Lost  map[string]float64 `json:"lost"`
	Limit string             `json:"limit"` // the largest of them
}
