package search

import (
	"encoding/json"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// RecordedEngine is the class of the engine that a run began on, the zero one
// for runs of versions that didn't write it down.
func RecordedEngine(path string) (engine.Class, error) {
	dir, err := rundir.Read(path)
	if err != nil {
		return engine.Class{}, err
	}
	return classOf(dir)
}

// CheckEngine refuses an engine that would go on with a run in other bits.
func CheckEngine(path string, info engine.Info) error {
	dir, err := rundir.Read(path)
	if err != nil {
		return err
	}
	return checkEngine(dir, info)
}

func checkEngine(dir *rundir.Dir, info engine.Info) error {
	began, err := classOf(dir)
	if err != nil || began == (engine.Class{}) {
		return err
	}
	if d := began.Difference(info.Class(began.Precision)); d != "" {
		return fault.Usagef("%s: the run began on another engine (%s): its candidates would not be those of one search; go on where it began, or begin a new run",
			dir.Path, d)
	}
	return nil
}

func classOf(dir *rundir.Dir) (c engine.Class, err error) {
	if dir.Manifest.EngineClass == nil {
		return c, nil
	}
	if err := json.Unmarshal(dir.Manifest.EngineClass, &c); err != nil {
		return c, fault.Damagedf("%s: run.json: field engine_class: %w", dir.Path, err)
	}
	return c, nil
}
