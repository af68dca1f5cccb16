package run

import (
	"fmt"
	"strings"
)

// WhyEmpty says why a run has no front: what its trainings failed of, or how far
// they are from the reference point.
func (st State) WhyEmpty(objectives []string, reference []float64) string {
	failed, first := 0, ""
	least := map[string]float64{}
	for _, c := range st.Candidates {
		if c.Search == nil {
			failed++
			if first == "" {
				first = c.Failure
			}
			continue
		}
		for _, name := range objectives {
			if v, known := least[name]; !known || c.Search.Values[name] < v {
				least[name] = c.Search.Values[name]
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
	far := make([]string, len(objectives))
	for i, name := range objectives {
		far[i] = fmt.Sprintf("%s %.4g (least seen %.4g)", name, reference[i], least[name])
	}
	why := fmt.Sprintf("%snone of %d networks is better than the reference %s: train longer or more of them, or give --reference", empty, all-failed, strings.Join(far, ", "))
	if failed > 0 {
		why += fmt.Sprintf("; %d were refused or failed; the first: %s", failed, first)
	}
	return why
}
