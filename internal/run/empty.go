package run

import (
	"fmt"
	"slices"
	"strings"
)

// WhyEmpty says why a run has no front: what its trainings failed of, which bounds they
// broke, or how far they are from the reference point.
func (st State) WhyEmpty(c Config, reference []float64) string {
	failed, first := 0, ""
	least := map[string]float64{}
	names := slices.Clone(c.Objectives)
	for _, b := range c.Bounds {
		names = append(names, b.Objective)
	}
	better := 0 // than the reference
	for _, cand := range st.Candidates {
		best := cand.Best()
		if best == nil {
			failed++
			if first == "" {
				first = cand.Failure
			}
			continue
		}
		if c.Point(best.Values).Better(reference) {
			better++
		}
		for _, name := range names {
			if v, known := least[name]; !known || best.Values[name] < v {
				least[name] = best.Values[name]
			}
		}
	}
	const empty = "the front is empty: "
	all := len(st.Candidates)
	switch {
	case all == 0:
		return empty + "no training has ended"
	case failed == all:
		return fmt.Sprintf("%sall %d networks were refused or failed; the first: %s", empty, all, first)
	}
	others := ""
	if failed > 0 {
		others = fmt.Sprintf("; %d were refused or failed; the first: %s", failed, first)
	}
	if better > 0 {
		bounds := make([]string, len(c.Bounds))
		for i, b := range c.Bounds {
			bounds[i] = fmt.Sprintf("--bound '%v' (least seen %.4g)", b, least[b.Objective])
		}
		return fmt.Sprintf("%snone of %d networks that are better than the reference keeps %s: give a larger number, or train longer or more of them%s",
			empty, better, strings.Join(bounds, " and "), others)
	}
	far := make([]string, len(c.Objectives))
	for i, name := range c.Objectives {
		far[i] = fmt.Sprintf("%s %.4g (least seen %.4g)", name, reference[i], least[name])
	}
	return fmt.Sprintf("%snone of %d networks is better than the reference %s: train longer or more of them, or give --reference%s", empty, all-failed, strings.Join(far, ", "), others)
}
