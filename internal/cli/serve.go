package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"moncae/internal/run"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/fault"
)

// refresh is how often a page of a run under way asks for itself again.
const refresh = 5

func (a *app) newServe() *cobra.Command {
	var o reportOptions
	var address string
	cmd := &cobra.Command{
		Use:     "serve RUN",
		Short:   "Show a run in the browser, also while it is under way",
		Example: "  moncae serve digits --address 127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := run.Open(args[0]); err != nil {
				return err
			}
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fault.Usagef("--address %s: %w", address, err)
			}
			fmt.Fprintf(a.Err, "http://%s — end with Ctrl-C\n", listener.Addr())
			return serve(cmd.Context(), listener, a.pages(cmd, args[0], &o))
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "127.0.0.1:8046", "`host:port` to listen on")
	f.StringVar(&o.classify, "classify", "", "`folder` that moncae classify made of the run: its table (default the tables that the run keeps)")
	f.IntVar(&o.images, "images", 10, "images in a row of the gallery")
	addRuntimeDevice(f, &o.device)
	o.data.locate(f, "")
	return cmd
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() { quietly(server.Close()) })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// slow is how long a page may take to be fetched, when it is made.
var slow = time.Minute

// pages writes the run's report as it stands at each request.
func (a *app) pages(cmd *cobra.Command, path string, o *reportOptions) http.Handler {
	var one sync.Mutex // a page trains nothing, but takes all cores for a second
	render := func() ([]byte, error) {
		one.Lock()
		defer one.Unlock()
		page, err := a.page(cmd, path, o)
		if err != nil {
			return nil, err
		}
		if r, err := run.Open(path); err == nil && !r.Finished {
			page.Refresh = refresh
		}
		var b bytes.Buffer
		err = page.Write(&b)
		return b.Bytes(), err
	}
	return handed(render, quietly)
}

// handed gives every reader a page of his own; told hears how writing it ended.
func handed(render func() ([]byte, error), told func(error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		content, err := render()
		quietly(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slow))) // a writer without deadlines has none
		if err != nil {
			http.Error(w, oneLine(err)+"\nThe page asks again when it is loaded again.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, err = w.Write(content)
		told(err)
	})
	return mux
}
