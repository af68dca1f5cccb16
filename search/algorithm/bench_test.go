package algorithm

import (
	"fmt"
	"testing"
)

// BenchmarkAskEHVI asks for a place when so many have been told: what a decision
// costs beside the training that it decides.
func BenchmarkAskEHVI(b *testing.B) {
	for _, told := range []int{80, 240, 1000} {
		b.Run(fmt.Sprint(told), func(b *testing.B) {
			p := ehviProblem(16, told/16+2, 1)
			e := newEHVI(p)
			random := newBreeder(p, false)
			byID := map[string]Trial{}
			for k := range told {
				c := random.breed(k)
				e.asked = append(e.asked, c)
				tell(e, p, c, k, byID)
			}
			for b.Loop() {
				e.asked = e.asked[:told]
				e.Ask(told)
			}
		})
	}
}
