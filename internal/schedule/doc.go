// Package schedule has the decisions by which trainings are given to workers, apart
// from clocks and goroutines: a search makes them as time passes, internal/scale by a
// time of its own.
//
//   - Course: which place of a search may be asked for, and which is told next.
//   - Queue: which of the jobs that wait begins, the longest first, within memory.
//   - Late: when a task has taken so long that a worker with nothing to do tries it too.
//
// Costs: O(log n) comparisons, and moving what waits, for each decision.
package schedule
