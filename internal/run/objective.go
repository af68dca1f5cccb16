package run

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/suggest"
	"moncae/search/moo"
)

// The objectives, all minimised.
const (
	ObjectiveLoss   = "loss"   // the training's loss (BCE in nats, MSE, 1 − SSIM or a sum) on validation images
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
	return fmt.Errorf("objective %q is unknown: it is one of %s%s", name, strings.Join(Objectives, ", "), suggest.Meant(name, Objectives))
}

// Values are objectives by name.
type Values map[string]float64

// Static are the objectives that are known before a training.
func Static(a arch.Arch) Values {
	return Values{
		ObjectiveLOC:    a.LOC(),
		ObjectiveBits:   32 * float64(a.Latent().Values()) / float64(a.Input.H*a.Input.W),
		ObjectiveParams: float64(a.ParamCount()),
		ObjectiveFLOPs:  float64(a.FLOPs()),
	}
}

// Point puts values in the configuration's order; what is missing is NaN.
func (c Config) Point(v Values) moo.Point {
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

// Uses tells whether an objective is searched on or bounded.
func (c Config) Uses(name string) bool {
	return slices.Contains(c.Objectives, name) || slices.ContainsFunc(c.Bounds, func(b Bound) bool { return b.Objective == name })
}

// Bound is a hard limit on an objective, whether it is searched on or not.
type Bound struct {
	Objective string  `json:"objective"`
	Most      float64 `json:"most"`
}

func (b Bound) String() string { return fmt.Sprintf("%s<=%v", b.Objective, b.Most) }

// keepable tells that no network keeps a bound: those of one value and no parameters come
// down to these, and a share of errors to none at all.
func (b Bound) keepable() error {
	switch exact := b.Objective == ObjectiveBits || b.Objective == ObjectiveParams || b.Objective == ObjectiveFLOPs; {
	case b.Most < 0:
		return fmt.Errorf("bound %v: no network keeps it, for %s is never below 0: give a larger number", b, b.Objective)
	case exact && b.Most == 0:
		return fmt.Errorf("bound %v: no network keeps it, for %s is always above 0: give a larger number", b, b.Objective)
	}
	return nil
}

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
