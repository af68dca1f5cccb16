//go:build !unix

package cli

// outputGone is never asked: there is no SIGPIPE here.
var outputGone = func() bool { return true }
