package surrogate

import (
	"math"
	"slices"

	"moncae/internal/arch"
)

// The one-hot groups among the features, in order.
var (
	activations = []arch.Activation{arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU}
	optimizers  = []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD}
	schedules   = []arch.Schedule{arch.Constant, arch.OneCycle, arch.Cosine}
)

// Names are the features', in order.
var Names = names()

func names() []string {
	all := []string{"size", "flops", "params", "convolutions", "latent channels", "narrowest", "decoder begins", "batch norm",
		"latent sigmoid", "latent relu", "dropout", "most dropout", "skips", "strides", "kernel"}
	for _, f := range activations {
		all = append(all, string(f))
	}
	for _, o := range optimizers {
		all = append(all, string(o), string(o)+" rate", string(o)+" rate squared")
	}
	for _, s := range schedules {
		all = append(all, string(s))
	}
	return all
}

// Features describe a network and its recipe by numbers that are known before a
// training; sizes are logarithms and relative to the image, so that what was
// learned on one data set says something about another. rate is the learning
// rate's place on its optimiser's scale, in [0, 1).
func Features(a arch.Arch, r arch.Recipe, rate float64) []float64 {
	pixels := float64(a.Input.H * a.Input.W)
	e, d := read(a.Encoder), read(a.Decoder)
	both := e.plus(d)
	latent := e.last
	x := []float64{
		math.Log(float64(a.Latent().Values()) / float64(a.Input.Values())),
		math.Log(float64(a.FLOPs()) / pixels),
		math.Log(float64(a.ParamCount())),
		float64(e.convs),
		math.Log(float64(a.Latent().C)),
		math.Log(float64(e.narrowest)),
		math.Log(float64(d.first)),
		float64(both.norms) / float64(both.convs),
		indicator(latent == arch.Sigmoid),
		indicator(latent == arch.ReLU),
		both.dropout,
		both.mostDropout,
		float64(both.skips),
		float64(e.strides),
		both.kernels / float64(both.convs),
	}
	for _, f := range activations {
		x = append(x, float64(both.activations[f])/float64(both.convs))
	}
	for _, o := range optimizers {
		is, u := indicator(r.Optimizer == o), rate-0.5
		x = append(x, is, is*u, is*u*u)
	}
	for _, s := range schedules {
		x = append(x, indicator(r.Schedule == s))
	}
	return x
}

// inheriting is the name of the feature that Inherited gives.
const inheriting = "inherited"

// Inherited is one more feature where children begin with their mothers' weights: the
// logarithm of how many times as long a training is, with a share of the epochs that led
// to those, as its own epochs alone, times the logarithm of the latent's values. A latent
// of few values soon holds all that it can, and gains little from more training. It is 0
// where nothing is inherited.
func Inherited(share float64, epochs, own, values int) float64 {
	return math.Log1p(share*float64(epochs)/float64(own)) * math.Log(float64(values))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// counts are what a stack consists of.
type counts struct {
	convs, norms, skips, strides int
	first, narrowest             int // filters; narrowest of all but the last
	kernels                      float64
	dropout, mostDropout         float64
	activations                  map[arch.Activation]int
	last                         arch.Activation // after the last convolution
}

func read(s arch.Stack) counts {
	c := counts{activations: map[arch.Activation]int{}}
	var filters []int
	for _, l := range s {
		switch l.Kind {
		case arch.Conv, arch.Transpose:
			c.convs++
			c.kernels += float64(l.Kernel)
			if l.Kind == arch.Conv {
				c.strides += l.Stride - 1
			}
			filters = append(filters, l.Filters)
			c.last = ""
		case arch.BatchNorm:
			c.norms++
		case arch.Add:
			c.skips++
		case arch.Activate:
			c.activations[l.Activation]++
			c.last = l.Activation
		case arch.Dropout:
			c.dropout += l.Rate
			c.mostDropout = max(c.mostDropout, l.Rate)
		}
	}
	c.first, c.narrowest = filters[0], filters[0]
	if len(filters) > 1 {
		c.narrowest = slices.Min(filters[:len(filters)-1])
	}
	return c
}

func (c counts) plus(o counts) counts {
	sum := counts{
		convs: c.convs + o.convs, norms: c.norms + o.norms, skips: c.skips + o.skips, kernels: c.kernels + o.kernels,
		dropout: c.dropout + o.dropout, mostDropout: max(c.mostDropout, o.mostDropout), activations: map[arch.Activation]int{},
	}
	for _, f := range activations {
		sum.activations[f] = c.activations[f] + o.activations[f]
	}
	return sum
}
