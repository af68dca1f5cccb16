package search

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/search/moo"
)

// reference is the configured reference point, or what a system without learning
// gets: the mean image's loss, no compression; and of the probe what a quick look does.
func reference(c run.Config, in arch.Shape, blend graph.Blend, mean baseline.Loss, probe func() float64) (moo.Point, error) {
	if len(c.Reference) > 0 {
		return moo.Point(c.Reference), nil
	}
	nothing := run.Values{
		run.ObjectiveLoss: lossTarget(blend, mean, 0).Nothing,
		run.ObjectiveLOC:  math.Log10(float64(in.Values())),
		run.ObjectiveBits: 8 * float64(in.C),
	}
	if slices.Contains(c.Objectives, run.ObjectiveProbe) {
		nothing[run.ObjectiveProbe] = probe()
	}
	for _, name := range c.Objectives {
		if _, ok := nothing[name]; !ok {
			return nil, fault.Usagef("objective %q has no reference of its own: give --reference with %d numbers (%s)",
				name, len(c.Objectives), strings.Join(c.Objectives, ","))
		}
	}
	return c.Point(nothing), nil
}

// attainable refuses a reference point that nothing can dominate, or from which no
// hypervolume can be measured. floor is the entropy of the pixels, which no BCE is below;
// every other objective is above 0.
func attainable(c run.Config, reference moo.Point, blend graph.Blend, floor float64) error {
	for i, name := range c.Objectives {
		least, why := 0.0, ""
		if name == run.ObjectiveLoss && blend.BCE > 0 {
			least, why = blend.BCE*floor, " (the entropy of the pixels)"
		}
		switch {
		case reference[i] > least:
		case len(c.Reference) > 0:
			return fault.Usagef("reference point: %s of %.4g, and nothing is below %.4g%s: give a larger one, or leave --reference away", name, reference[i], least, why)
		case name == run.ObjectiveLoss:
			return fault.Usagef("there is nothing to learn: the mean image has a loss of %.4g already, and nothing is below %.4g%s: the images are all alike; see them by `moncae data info --png FILE`", reference[i], least, why)
		case name == run.ObjectiveLOC:
			return fault.Usagef("there is nothing to compress: an image is a single value: give larger images, or a larger --image-size")
		default:
			return fault.Usagef("there is nothing to find: objective %s is %.4g without a network already, and nothing is below %.4g: leave it out of --objectives", name, reference[i], least)
		}
	}
	return measurable(c, reference)
}

// measurable refuses numbers so large that the hypervolume, a sum of products of them, may
// be no number.
func measurable(c run.Config, reference moo.Point) error {
	volume := 1.0
	for _, r := range reference {
		volume *= max(1, r)
	}
	if volume > 1e200 {
		return fault.Usagef("reference point %v: what it spans can't be measured, for its numbers are too large: give smaller ones, for example 0.26,2.9 for loss,loc, or leave --reference away", c.Reference)
	}
	return nil
}

// hopeless tells why a network can't become a member of the front, whatever it
// learns: what is known of it lies beyond the reference or the bounds.
func hopeless(c run.Config, v run.Values, reference moo.Point) error {
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
