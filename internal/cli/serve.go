package cli

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/spf13/cobra"

	"moncae/internal/fault"
	"moncae/internal/serve"
	"moncae/internal/shell"
)

func (a *app) newServe() *cobra.Command {
	var o reportOptions
	var address, token string
	cmd := &cobra.Command{
		Use:   "serve RUN|DIR",
		Short: "Show a run, or the runs of a folder, in the browser, also while they are under way",
		Long: `Show a run in the browser, also while it is under way: its page follows the search
without being loaded again. A folder of runs is listed, and runs can be compared.

It only reads, and answers for its own names alone. Where --address is not this machine's
own (127.0.0.1), a token is needed: --token, or one that is drawn and printed.`,
		Example: `  moncae serve digits --address 127.0.0.1:8080
  moncae serve runs/`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := a.newRuns(cmd, args[0], &o)
			if errors.Is(err, syscall.ENOTDIR) {
				return fault.Usagef("%s is a file; a run, or a folder of runs, is wanted", args[0])
			}
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fault.Usagef("--address %s: %w", address, err)
			}
			hosts, local := serve.Hosts(listener.Addr(), address)
			if token == "" && !local {
				token = serve.NewToken()
			}
			link := "http://" + listener.Addr().String() + "/"
			if token != "" {
				link = shell.Quote(link + "?token=" + token)
			}
			fmt.Fprintf(a.Err, "%s — end with Ctrl-C\n", link)
			return serve.Serve(cmd.Context(), listener, serve.Handler(src, serve.Options{Hosts: hosts, Token: token}))
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "127.0.0.1:8046", "`host:port` to listen on")
	f.StringVar(&token, "token", "", "`word` that a browser must bring (default none on this machine's own address, else drawn)")
	f.StringVar(&o.classify, "classify", "", "`folder` that moncae classify made of the run: its table (default the tables that the run keeps)")
	f.IntVar(&o.images, "images", 10, "images in a row of the gallery")
	addRuntimeDevice(f, &o.device)
	o.data.locate(f, "")
	return cmd
}
