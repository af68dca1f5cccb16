package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"moncae/internal/report"
)

type server struct {
	src   Source
	every time.Duration
	mu    sync.Mutex
	pages map[string]*cached // by run
}

// cached is a run's page as it was last rendered.
type cached struct {
	mu      sync.Mutex
	version string
	html    []byte
	data    []byte
}

// render gives the run's page and data, made anew where the run has changed.
func (s *server) render(ctx context.Context, name string) (html, data []byte, err error) {
	state, err := s.src.State(name)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	c := s.pages[name]
	if c == nil {
		c = &cached{}
		s.pages[name] = c
	}
	s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == state.Version && c.html != nil {
		return c.html, c.data, nil
	}
	page, err := s.src.Page(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !state.Ended {
		page.Events, page.DataURL = "events?version="+url.QueryEscape(state.Version), "data.json"
	}
	var b bytes.Buffer
	if err := page.Write(&b); err != nil {
		return nil, nil, err
	}
	data, err = json.Marshal(page.Data)
	if err != nil {
		return nil, nil, err
	}
	c.version, c.html, c.data = state.Version, b.Bytes(), data
	return c.html, c.data, nil
}

// name is the run of a request, which must be one of the list: a name is never
// taken for a path.
func (s *server) name(w http.ResponseWriter, r *http.Request) (string, bool) {
	if s.known(r.PathValue("name")) {
		return r.PathValue("name"), true
	}
	http.Error(w, "There is no such run here.", http.StatusNotFound)
	return "", false
}

func (s *server) known(name string) bool {
	runs, err := s.src.Runs()
	if err != nil {
		return false
	}
	for _, run := range runs {
		if run.Name == name {
			return true
		}
	}
	return false
}

func (s *server) page(w http.ResponseWriter, r *http.Request) {
	name, ok := s.name(w, r)
	if !ok {
		return
	}
	html, _, err := s.render(r.Context(), name)
	answer(w, "text/html; charset=utf-8", html, err)
}

func (s *server) data(w http.ResponseWriter, r *http.Request) {
	name, ok := s.name(w, r)
	if !ok {
		return
	}
	_, data, err := s.render(r.Context(), name)
	answer(w, "application/json", data, err)
}

func answer(w http.ResponseWriter, kind string, content []byte, err error) {
	if err != nil {
		http.Error(w, err.Error()+"\nLoad the page again to try again.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(content) // a reader that went away loses nothing of ours
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	runs, err := s.src.Runs()
	if err != nil {
		answer(w, "", nil, err)
		return
	}
	if len(runs) == 1 {
		http.Redirect(w, r, "/run/"+url.PathEscape(runs[0].Name)+"/", http.StatusSeeOther)
		return
	}
	list := report.List{Title: fmt.Sprintf("%d runs", len(runs))}
	for _, run := range runs {
		list.Runs = append(list.Runs, report.Listed{
			Name: run.Name, Address: "/run/" + url.PathEscape(run.Name) + "/", Data: run.Data, Status: run.Status, Seed: run.Seed,
			Trainings: run.Trainings, Members: run.Members, Hypervolume: run.Hypervolume, Changed: run.Changed.Format(time.DateTime),
		})
	}
	var b bytes.Buffer
	err = list.Write(&b)
	answer(w, "text/html; charset=utf-8", b.Bytes(), err)
}

func (s *server) compare(w http.ResponseWriter, r *http.Request) {
	names := r.URL.Query()["run"]
	for _, name := range names {
		if !s.known(name) {
			http.Error(w, "There is no such run here.", http.StatusNotFound)
			return
		}
	}
	if len(names) < 2 {
		http.Error(w, "Choose two runs or more.", http.StatusBadRequest)
		return
	}
	page, err := s.src.Compare(r.Context(), names)
	if err != nil {
		answer(w, "", nil, err)
		return
	}
	var b bytes.Buffer
	err = page.Write(&b)
	answer(w, "text/html; charset=utf-8", b.Bytes(), err)
}

// events tells a page of its run's changes, until the run has ended or the page
// has gone.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	name, ok := s.name(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		if err := control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
			return false
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	last := State{Version: r.URL.Query().Get("version")}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for quiet := 0; ; quiet++ {
		state, err := s.src.State(name)
		if err != nil {
			return // the browser asks again by itself
		}
		if state.Version != last.Version {
			quiet = 1
			if !send("event: run\ndata: {}\n\n") {
				return
			}
		}
		if state.Progress != nil && !bytes.Equal(state.Progress, last.Progress) {
			quiet = 1
			if !send("event: progress\ndata: %s\n\n", bytes.ReplaceAll(state.Progress, []byte("\n"), nil)) {
				return
			}
		}
		if state.Ended {
			send("event: end\ndata: {}\n\n")
			return
		}
		if quiet%15 == 0 && !send(": still here\n\n") {
			return
		}
		last = state
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}
