package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"moncae/internal/fault"
	"moncae/internal/report"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/serve"
	"moncae/internal/view"
)

// runs are those that serve shows: one, or those of a folder.
type runs struct {
	app   *app
	cmd   *cobra.Command
	o     *reportOptions
	path  string
	alone bool
	one   sync.Mutex // a page's pictures take all cores for a second

	mu    sync.Mutex
	ended map[string]bool // by name and version
}

func (a *app) newRuns(cmd *cobra.Command, path string, o *reportOptions) (*runs, error) {
	rs := &runs{app: a, cmd: cmd, o: o, path: path, alone: rundir.Exists(path), ended: map[string]bool{}}
	if rs.alone {
		_, err := run.Open(path)
		return rs, err
	}
	paths, err := rs.paths()
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fault.Usagef("%s is no run, and holds none: name a run's folder (it has a run.json), or a folder of such", path)
	}
	return rs, nil
}

// paths are the runs' folders.
func (rs *runs) paths() ([]string, error) {
	if rs.alone {
		return []string{rs.path}, nil
	}
	entries, err := os.ReadDir(rs.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.Usagef("%s: there is no such folder", rs.path)
	}
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	var paths []string
	for _, e := range entries {
		if p := filepath.Join(rs.path, e.Name()); rundir.Exists(p) {
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// at is the folder of a run of the list.
func (rs *runs) at(name string) string {
	if rs.alone {
		return rs.path
	}
	return filepath.Join(rs.path, name)
}

// Runs lists the runs; one that can't be read says why.
func (rs *runs) Runs() ([]serve.Run, error) {
	paths, err := rs.paths()
	if err != nil {
		return nil, err
	}
	list := make([]serve.Run, len(paths))
	for i, p := range paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		l := serve.Run{Name: filepath.Base(absolute)}
		if info, err := os.Stat(filepath.Join(p, rundir.JournalFile)); err == nil {
			l.Changed = info.ModTime()
		}
		r, err := run.Open(p)
		if err != nil {
			l.Status = fault.Text(err)
			list[i] = l
			continue
		}
		l.Data, l.Seed = r.Manifest.Data.Name, r.Manifest.Seed
		l.Status = fmt.Sprintf("%d of %d generations", len(r.Generations), r.Config.Generations)
		if r.Finished {
			l.Status = "finished"
		}
		if r.Front != nil {
			l.Trainings, l.Members, l.Hypervolume = r.Front.Evaluations, len(r.Front.Members), r.Front.Hypervolume
		}
		list[i] = l
	}
	return list, nil
}

// State hashes the sizes and times of the files that a page is made of.
func (rs *runs) State(name string) (s serve.State, err error) {
	path := rs.at(name)
	h := sha256.New()
	for _, file := range []string{rundir.JournalFile, rundir.FrontFile, rundir.ClassifyDir} {
		if info, err := os.Stat(filepath.Join(path, file)); err == nil {
			h.Write(fmt.Appendln(nil, info.Size(), info.ModTime().UnixNano()))
		}
	}
	s.Version = hex.EncodeToString(h.Sum(nil)[:8])
	if s.Ended, err = rs.hasEnded(path, name+s.Version); err != nil || s.Ended {
		return s, err
	}
	s.Progress, err = run.ReadLive(path)
	return s, err
}

// hasEnded reads a run's journal once a version.
func (rs *runs) hasEnded(path, version string) (bool, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	ended, ok := rs.ended[version]
	if ok {
		return ended, nil
	}
	r, err := run.Open(path)
	if err != nil {
		return false, err
	}
	rs.ended[version] = r.Finished
	return r.Finished, nil
}

// Page is a run's page.
func (rs *runs) Page(_ context.Context, name string) (report.Page, error) {
	rs.one.Lock()
	defer rs.one.Unlock()
	return rs.app.page(rs.cmd, rs.at(name), rs.o)
}

// Compare is a page of several runs.
func (rs *runs) Compare(_ context.Context, names []string) (c report.Comparison, err error) {
	var all []*run.Run
	for _, name := range names {
		r, err := run.Open(rs.at(name))
		if err != nil {
			return c, err
		}
		all = append(all, r)
	}
	return view.Compare(names, all), nil
}
