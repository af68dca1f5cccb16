package run

import (
	"strings"
	"testing"
)

func TestAnEmptyFrontNamesTheBoundThatNothingKept(t *testing.T) {
	c := valid()
	c.Bounds = []Bound{{ObjectiveLoss, 0.1}}
	st := State{Candidates: []*Candidate{
		{ID: "g0-0", Search: &Result{Values: Values{ObjectiveLoss: 0.2, ObjectiveLOC: 1}}},
		{ID: "g0-1", Failure: "refused: too large"},
	}}
	why := st.WhyEmpty(c, []float64{0.3, 2})
	for _, want := range []string{"none of 1 networks that are better than the reference keeps --bound 'loss<=0.1' (least seen 0.2)", "1 were refused or failed"} {
		if !strings.Contains(why, want) {
			t.Errorf("%q is missing in %s", want, why)
		}
	}
	if why := st.WhyEmpty(c, []float64{0.15, 2}); !strings.Contains(why, "better than the reference loss 0.15 (least seen 0.2)") {
		t.Error(why)
	}
}
