//go:build nvidia && linux && amd64

package cuda

import (
	"flag"
	"testing"

	"moncae/internal/engine/enginetest"
)

var networks = flag.Int("networks", 40, "random networks of the engines' suite")

// TestEngine runs the suite that every engine passes. On the fake driver, how
// convolutions are computed is up to the environment (scripts/test-cuda.sh).
func TestEngine(t *testing.T) {
	enginetest.Run(t, open, enginetest.Tolerances{Networks: *networks, Filters: 8})
}
