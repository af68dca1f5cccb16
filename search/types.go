package search

import "moncae/internal/run"

// What a study writes; internal/run says what is in them.
type (
	Config    = run.Config
	Candidate = run.Candidate
	Front     = run.Front
	Member    = run.Member
	Run       = run.Run
)

// Open reads the run in the folder path, beside a process that may be at work on it.
func Open(path string) (*Run, error) { return run.Open(path) }
