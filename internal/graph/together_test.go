package graph

import (
	"sync"
	"testing"
)

// TestGraphsAreBuiltSideBySide shares nothing between graphs; `go test -race` tells.
func TestGraphsAreBuiltSideBySide(t *testing.T) {
	a := example()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := Autoencoder(a, 2, BCE, uint64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
