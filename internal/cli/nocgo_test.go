//go:build !cgo

package cli

const withCgo = false
