package ptx

import "strings"

// Cycles until a result can be used, rounded from what microbenchmarks of the A100 and
// the H100 found.
const (
	arithmetic = 4
	special    = 20 // of the special function unit, and of float64
	inShared   = 25
	inGlobal   = 500
)

// sequences are what ptxas 12.9 makes several instructions of for sm_90: how many are
// issued, by a chain of 64 of each against one of 32.
var sequences = []struct {
	prefix string
	issued int
}{
	{"div.u32", 12}, {"rem.u32", 12}, {"div.s32", 15}, {"rem.s32", 15},
	{"div.rn.f32", 9}, {"rcp.rn.f32", 8}, {"sqrt.rn.f32", 9}, {"lg2", 4},
	{"div.rn.f64", 20}, {"sqrt.rn.f64", 23},
	{"mul.lo.s64", 4}, {"mad.lo.s64", 4},
}

// free are names of the same value: assemblers make no instruction of them.
var free = []string{"cvta", "not.pred", "neg.f", "abs.f", "cvt.u64.u32", "cvt.u32.u64", "cvt.u32.u16", "cvt.u16.u32", "mov.b64"}

// cost is how many instructions a device issues for one of PTX, and how many cycles
// pass before its result can be used.
func cost(op string) (issued, delay int) {
	for _, s := range sequences {
		if strings.HasPrefix(op, s.prefix) {
			return s.issued, s.issued * arithmetic
		}
	}
	for _, f := range free {
		if strings.HasPrefix(op, f) {
			return 0, 0
		}
	}
	switch {
	case strings.HasPrefix(op, "ld.global"), strings.HasPrefix(op, "ld.local"):
		return 1, inGlobal
	case strings.HasPrefix(op, "ld.shared"), strings.HasPrefix(op, "bar"):
		return 1, inShared
	case strings.HasSuffix(op, "f64"):
		return 2, special // at half the rate
	case strings.HasPrefix(op, "ex2"), strings.HasPrefix(op, "cvt.r"):
		return 1, special
	case strings.HasSuffix(op, "64"):
		return 2, 2 * arithmetic
	}
	return 1, arithmetic
}
