package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// whenLeft gives a context that ends when the process's terminal closes (SIGHUP) or
// the reader of its output goes away (SIGPIPE). The signals do nothing else until
// forget is called, so that the state is saved though more of them come. A SIGPIPE
// of another descriptor than the output's, as --events has, ends nothing.
func whenLeft(ctx context.Context) (_ context.Context, forget func()) {
	ctx, cancel := context.WithCancel(ctx)
	left := make(chan os.Signal, 1)
	signal.Notify(left, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) { // nohup's wish
		signal.Notify(left, syscall.SIGHUP)
	}
	go func() {
		for {
			select {
			case s := <-left:
				if s != syscall.SIGPIPE || outputGone() {
					cancel()
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(left)
		cancel()
	}
}
