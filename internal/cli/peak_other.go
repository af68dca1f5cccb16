//go:build !unix

package cli

// peak is unknown here.
func peak() string { return "" }
