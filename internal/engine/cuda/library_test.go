//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// twoConvolutions has two for cuDNN: one with an exact plan among the best, one, with
// an odd number of outputs, whose only exact plan is a fallback.
var twoConvolutions = arch.Arch{
	Input:   arch.Shape{C: 1, H: 4, W: 4},
	Encoder: arch.Stack{{Kind: arch.Conv, Filters: 10, Kernel: 3, Stride: 2}, {Kind: arch.Conv, Filters: 9, Kernel: 3, Stride: 1}},
	Decoder: arch.Stack{{Kind: arch.Upsample, To: &[2]int{4, 4}}, {Kind: arch.Conv, Filters: 12, Kernel: 1, Stride: 1}, {Kind: arch.Conv, Filters: 1, Kernel: 1, Stride: 1}},
}

func smallJob(t *testing.T, e engine.Engine) (j job, done func() error) {
	t.Helper()
	net, err := graph.Autoencoder(twoConvolutions, 2, graph.MSE, 1)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Load(testImages(net.Input))
	if err != nil {
		t.Fatal(err)
	}
	return job{engine: e, data: d, net: net, optimizer: arch.SGD}, d.Close
}

var everyStatus = flag.Bool("every-status", false, "each call of cuDNN fails in every way, not in one of them")

// trained is what a training gives, and how its convolutions were computed.
type trained struct {
	result
	engine.Convolutions
	closed error
}

// oneStep is a training as short as one can be.
func (j job) oneStep() (r result, err error) {
	p, err := j.compile()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	r.losses = make([]float32, 1)
	if err := p.Train(make([]int32, j.net.Batch), []float32{1e-3}, r.losses); err != nil {
		return r, err
	}
	r.weights, err = p.Weights()
	return r, err
}

func trainSmall(t *testing.T) (r trained) {
	t.Helper()
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	j, unload := smallJob(t, e)
	if r.result, err = j.oneStep(); err != nil {
		t.Error(err)
	}
	r.Convolutions = e.(*single).Convolutions()
	r.closed = errors.Join(unload(), e.Close())
	return r
}

// TestEachCallFails has every call of cuDNN fail in turn, once, from the first of
// Open to the last of Close, in ways that are the environment's, the library's,
// memory's and the execution's. Never is a network to blame: it trains, by cuDNN or
// by our own kernels, to the bits that either gives; a convolution that is computed
// in another way than else is listed so. What Close meets, it says. The fake
// refuses to end with descriptors that are left.
func TestEachCallFails(t *testing.T) {
	openFake(t)
	whole := trainSmall(t)
	t.Setenv("MONCAE_FAKE_CUDNN_FAIL", "cudnnCreate:1001")
	without := trainSmall(t)
	t.Setenv("MONCAE_FAKE_CUDNN_FAIL", "")
	if whole.closed != nil || without.closed != nil || len(whole.Own) > 0 || len(without.Own) == 0 || len(without.Plans) > 0 {
		t.Fatalf("before anything fails: %+v and, without cuDNN, %+v", whole, without)
	}
	file := filepath.Join(t.TempDir(), "failed")
	statuses, left, otherwise := []int{1001, 3000, 4000, 4004, 5000}, 0, 0
	call, failed := 0, true
	for ; failed; call++ {
		for i, status := range statuses {
			if !*everyStatus && i != call%len(statuses) {
				continue
			}
			t.Setenv("MONCAE_FAKE_CUDNN_CALL", fmt.Sprintf("%d:%d:%s", call, status, file))
			got := trainSmall(t)
			failed = os.Remove(file) == nil // else there are no more calls
			what := fmt.Sprintf("call %d gives %d", call, status)
			if got.closed != nil && !strings.Contains(got.closed.Error(), fmt.Sprintf("(%d)", status)) {
				t.Errorf("%s: closing says %v", what, got.closed)
			}
			switch {
			case len(got.Own) > 0:
				left++
				same(t, what+", and our own kernels take over", got.result, without.result)
			case slices.Equal(got.Plans, whole.Plans):
				same(t, what+", which changes nothing", got.result, whole.result)
			default:
				otherwise++
				close6(t, what, got.result, whole.result)
			}
		}
	}
	t.Logf("%d calls; our own kernels took over %d times, %d times some of the plans were others", call, left, otherwise)
	if call < 300 || left == 0 || otherwise == 0 {
		t.Error("less fails than there is")
	}
}

// close6 compares losses to six digits.
func close6(t *testing.T, what string, got, want result) {
	t.Helper()
	for i := range want.losses {
		if d := math.Abs(float64(got.losses[i] - want.losses[i])); !(d <= 1e-6) {
			t.Errorf("%s: loss of step %d is %v, was %v", what, i, got.losses[i], want.losses[i])
		}
	}
}
