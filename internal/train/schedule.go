package train

import (
	"math"

	"moncae/internal/arch"
)

// The one-cycle schedule: the share of the steps that climb, and how many times
// smaller than its peak the rate is at the beginning and at the end.
const (
	OneCycleClimb = 0.3
	OneCycleBegin = 25
	OneCycleEnd   = 1e4
)

// Rate is the learning rate of a step (from 0) of so many in all. With the
// recipe's rate η and h(x) = (1 − cos πx)/2, which climbs from 0 to 1:
//
//	constant   η
//	cosine     η·(1 − h(step/steps))
//	one_cycle  η/25 + (η − η/25)·h(step/c)                   step < c = ⌈0.3·(steps−1)⌉
//	           η − (η − η/10⁴)·h((step − c)/(steps − 1 − c))  from there on
func Rate(s arch.Schedule, eta float64, step, steps int) float64 {
	switch s {
	case arch.Constant:
		return eta
	case arch.Cosine:
		return eta * (1 - climb(float64(step)/float64(steps)))
	case arch.OneCycle:
		top := int(math.Ceil(OneCycleClimb * float64(steps-1)))
		if step < top {
			return eta/OneCycleBegin + (eta-eta/OneCycleBegin)*climb(float64(step)/float64(top))
		}
		if steps-1 == top {
			return eta
		}
		return eta - (eta-eta/OneCycleEnd)*climb(float64(step-top)/float64(steps-1-top))
	}
	panic("train: schedule " + string(s))
}

func climb(x float64) float64 { return (1 - math.Cos(math.Pi*x)) / 2 }
