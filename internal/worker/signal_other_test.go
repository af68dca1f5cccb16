//go:build !unix

package worker

import "errors"

func signalSelf(name string) error { return errors.New(name) }
