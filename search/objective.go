package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/search/baseline"
	"moncae/search/moo"
)

// The objectives, all minimised.
const (
	ObjectiveLoss   = "loss"   // the training's loss (BCE in nats, or MSE) on validation images
	ObjectiveLOC    = "loc"    // log10 of the number of latent values
	ObjectiveBits   = "bits"   // latent bits a pixel, at 32 bits a value
	ObjectiveParams = "params" // trained parameters
	ObjectiveFLOPs  = "flops"  // multiply-adds of one image, encoder and decoder
	ObjectiveProbe  = "probe"  // error of a linear classifier of the latents, on validation images
)

// objectiveLatency is refused: a measured time would make runs unrepeatable.
const objectiveLatency = "latency"

// Objectives are the names that a configuration may use.
var Objectives = []string{ObjectiveLoss, ObjectiveLOC, ObjectiveBits, ObjectiveParams, ObjectiveFLOPs, ObjectiveProbe}

func checkObjective(name string) error {
	for _, known := range Objectives {
		if name == known {
			return nil
		}
	}
	if name == objectiveLatency {
		return fmt.Errorf("objective %q is not available: a measured time changes from run to run; %s counts multiply-adds", name, ObjectiveFLOPs)
	}
	return fmt.Errorf("objective %q is unknown: it is one of %s", name, strings.Join(Objectives, ", "))
}

// Values are objectives by name.
type Values map[string]float64

// static are the objectives that are known before a training.
func static(a arch.Arch) Values {
	return Values{
		ObjectiveLOC:    a.LOC(),
		ObjectiveBits:   32 * float64(a.Latent().Values()) / float64(a.Input.H*a.Input.W),
		ObjectiveParams: float64(a.ParamCount()),
		ObjectiveFLOPs:  float64(a.FLOPs()),
	}
}

// point puts values in the configuration's order; what is missing is NaN.
func (c Config) point(v Values) moo.Point {
	p := make(moo.Point, len(c.Objectives))
	for i, name := range c.Objectives {
		x, ok := v[name]
		if !ok {
			x = math.NaN()
		}
		p[i] = x
	}
	return p
}

// uses tells whether an objective is searched on or bounded.
func (c Config) uses(name string) bool {
	return slices.Contains(c.Objectives, name) || slices.ContainsFunc(c.Bounds, func(b Bound) bool { return b.Objective == name })
}

// reference is the configured reference point, or what a system without learning
// gets: the mean image's loss, no compression, the most frequent class.
func (c Config) reference(in arch.Shape, mean baseline.Loss, guess float64) (moo.Point, error) {
	if len(c.Reference) > 0 {
		return moo.Point(c.Reference), nil
	}
	nothing := Values{
		ObjectiveLoss:  mean.BCE,
		ObjectiveLOC:   math.Log10(float64(in.Values())),
		ObjectiveBits:  8 * float64(in.C),
		ObjectiveProbe: guess,
	}
	if c.Loss == graph.MSE {
		nothing[ObjectiveLoss] = mean.MSE
	}
	for _, name := range c.Objectives {
		if _, ok := nothing[name]; !ok {
			return nil, fault.Usagef("objective %q has no reference of its own: give --reference with %d numbers (%s)",
				name, len(c.Objectives), strings.Join(c.Objectives, ","))
		}
	}
	return c.point(nothing), nil
}

// attainable refuses a reference point that nothing can dominate. floor is the
// entropy of the pixels, which no BCE is below; every other objective is above 0.
func (c Config) attainable(reference moo.Point, floor float64) error {
	for i, name := range c.Objectives {
		least, why := 0.0, ""
		if name == ObjectiveLoss && c.Loss == graph.BCE {
			least, why = floor, " (the entropy of the pixels)"
		}
		if !(reference[i] > least) {
			return fault.Usagef("reference point: %s of %.4g, and nothing is below %.4g%s: give a larger one, or leave --reference away", name, reference[i], least, why)
		}
	}
	return nil
}

// Bound is a hard limit on an objective, whether it is searched on or not.
type Bound struct {
	Objective string  `json:"objective"`
	Most      float64 `json:"most"`
}

func (b Bound) String() string { return fmt.Sprintf("%s<=%v", b.Objective, b.Most) }

// ParseBound reads "loc<=1.9".
func ParseBound(s string) (Bound, error) {
	name, number, ok := strings.Cut(s, "<=")
	if !ok {
		return Bound{}, fault.Usagef("bound %q: it reads objective<=number, for example loc<=1.9", s)
	}
	b := Bound{Objective: strings.TrimSpace(name)}
	var err error
	if b.Most, err = strconv.ParseFloat(strings.TrimSpace(number), 64); err != nil || math.IsNaN(b.Most) || math.IsInf(b.Most, 0) {
		return b, fault.Usagef("bound %q: %q is not a number", s, number)
	}
	if err := checkObjective(b.Objective); err != nil {
		return b, fault.Usagef("bound %q: %w", s, err)
	}
	return b, nil
}

// Within tells whether values keep all bounds; what is not measured keeps them.
func (v Values) Within(bounds []Bound) bool {
	for _, b := range bounds {
		if x, ok := v[b.Objective]; ok && !(x <= b.Most) {
			return false
		}
	}
	return true
}

// hopeless tells why a network can't become a member of the front, whatever it
// learns: what is known of it lies beyond the reference or the bounds.
func (c Config) hopeless(v Values, reference moo.Point) error {
	for i, name := range c.Objectives {
		if x, ok := v[name]; ok && !(x < reference[i]) {
			return fmt.Errorf("%s is %.4g, not better than the reference's %.4g", name, x, reference[i])
		}
	}
	for _, b := range c.Bounds {
		if x, ok := v[b.Objective]; ok && !(x <= b.Most) {
			return fmt.Errorf("%s is %.4g, the bound is %v", b.Objective, x, b)
		}
	}
	return nil
}
