//go:build !unix

package worker

import "os"

func signalOf(*os.ProcessState) string { return "" }
