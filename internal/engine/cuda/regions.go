//go:build nvidia && linux && amd64

package cuda

import (
	"moncae/internal/engine/cuda/plan"
)

// chunk is how many runs of a graph get their rows and rates in one copy. A call
// of Train has several, so that one is queued while another runs.
const chunk = 32

// staging is about how many bytes of results leave the device in one copy.
const staging = 16 << 20

// regions is how a program's block of memory is divided.
type regions struct {
	offset [plan.Null]int64
	size   [plan.Null]int64
	bytes  int64
	infers int // batches that the staging memory of an inference holds
}

func newRegions(p *plan.Plan, half bool) regions {
	net, l := p.Net, p.Layout
	batch := int64(net.Batch)
	trained, total := int64(l.Trained), int64(l.Total)
	values := batch * int64(net.Latent.Values()+net.Output.Values()) * 4
	r := regions{infers: int(min(max(staging/values, 1), chunk))}
	r.size = [plan.Null]int64{
		plan.Arena: p.Bytes, plan.Params: total * 4, plan.Grads: trained * 4, plan.SlotA: trained * 4, plan.SlotB: trained * 4,
		plan.Running: (total - trained) * 4, plan.Counter: 4, plan.Steps: 8, plan.Rows: chunk * batch * 4, plan.Rates: chunk * 4,
		plan.Losses: chunk * 4, plan.Measures: chunk * batch * plan.MeasuresARow * 8,
		plan.Latents: int64(r.infers) * batch * int64(net.Latent.Values()) * 4,
		plan.Outputs: int64(r.infers) * batch * int64(net.Output.Values()) * 4, plan.Sums: p.TableBytes(),
	}
	if half {
		r.size[plan.HalfParam], r.size[plan.HalfGrad] = trained*2, trained*2
	}
	for i := range r.size {
		r.offset[i] = r.bytes
		r.bytes += (r.size[i] + 255) / 256 * 256
	}
	return r
}
