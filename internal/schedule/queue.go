package schedule

import "slices"

// Job is what waits for a worker.
type Job interface {
	// Size is how long it may take, in any unit, and the bytes of memory that it takes.
	Size() (cost float64, bytes int64)
}

// Queue holds jobs that wait.
type Queue[J Job] struct {
	limited bool
	free    int64
	running int
	jobs    []J // the longest first, then as they came
}

// NewQueue is an empty one; the jobs that were taken stay within memory together (0: no
// limit), and one that is larger alone is taken alone.
func NewQueue[J Job](memory int64) *Queue[J] {
	return &Queue[J]{limited: memory > 0, free: memory}
}

// Add has jobs wait.
func (q *Queue[J]) Add(jobs ...J) {
	for _, j := range jobs {
		cost, _ := j.Size()
		at, _ := slices.BinarySearchFunc(q.jobs, cost, func(other J, cost float64) int {
			if longer, _ := other.Size(); longer >= cost {
				return -1
			}
			return 1
		})
		q.jobs = slices.Insert(q.jobs, at, j)
	}
}

// Len is how many wait.
func (q *Queue[J]) Len() int { return len(q.jobs) }

// Take gives the first that fits; not ok is that none does now.
func (q *Queue[J]) Take() (j J, ok bool) {
	for i, j := range q.jobs {
		_, bytes := j.Size()
		if q.limited && bytes > q.free && q.running > 0 {
			continue
		}
		if i == 0 {
			q.jobs = q.jobs[1:]
		} else {
			q.jobs = slices.Delete(q.jobs, i, i+1)
		}
		q.free -= bytes
		q.running++
		return j, true
	}
	return j, false
}

// Give takes back the memory of a job that was taken.
func (q *Queue[J]) Give(j J) {
	_, bytes := j.Size()
	q.free += bytes
	q.running--
}
