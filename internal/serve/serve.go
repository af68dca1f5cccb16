// Package serve shows runs in the browser, also while they are under way: a list,
// a page for each, live progress by server-sent events, several beside each other.
//
// It only reads. It answers requests for the names that it listens on alone, so
// that no foreign page can reach it by a name of its own; and where it listens on
// more than this machine, only those who know its token. A page is rendered once
// a state of its run; who waits for a slow reader holds nobody else up.
package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"moncae/internal/report"
)

// A Source is where runs and their pages come from. Its methods may be called
// side by side.
type Source interface {
	// Runs lists the runs as they are now, by name.
	Runs() ([]Run, error)
	// State tells a run's state apart from those before and after it; it is cheap.
	State(name string) (State, error)
	// Page is the run's page as it stands.
	Page(ctx context.Context, name string) (report.Page, error)
	// Compare is a page of several runs.
	Compare(ctx context.Context, names []string) (report.Comparison, error)
}

// Run is a line of the list.
type Run struct {
	Name, Data, Status string
	Seed               uint64
	Trainings, Members int
	Hypervolume        float64
	Changed            time.Time
}

// State is a run's state: Version changes with whatever its page shows, Progress
// with what its search is doing. Ended says that nothing more will come.
type State struct {
	Version  string
	Progress []byte // a JSON document; nil: nobody is at work on the run
	Ended    bool
}

// Options say who may see the pages.
type Options struct {
	Hosts []string // host names, without port, that a request may name
	Token string   // "": nobody is asked for one
	Every time.Duration
}

// Handler answers for the runs of a source.
func Handler(src Source, o Options) http.Handler {
	s := &server{src: src, every: o.Every, pages: map[string]*cached{}}
	if s.every <= 0 {
		s.every = time.Second
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /compare", s.compare)
	mux.HandleFunc("GET /run/{name}/{$}", s.page)
	mux.HandleFunc("GET /run/{name}/data.json", s.data)
	mux.HandleFunc("GET /run/{name}/events", s.events)
	return guard(mux, o)
}

// Serve answers on l until ctx ends. Requests that are too slow are cut.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: writeLimit, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // its error is Serve's
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// writeLimit is how long a reader may take for an answer, or for an event.
const writeLimit = 2 * time.Minute
