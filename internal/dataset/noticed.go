package dataset

import (
	"fmt"
	"math"
	"strconv"
)

// constant tells whether all values are the same.
func constant(values []uint8) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// noticed says what a user should know of the pixels that were read.
func (s *stream) noticed() []string {
	var notes []string
	share := func(n int, one, many string) {
		switch {
		case n == 1:
			notes = append(notes, "1 image "+one)
		case n == s.seen.Images && n > 0:
			notes = append(notes, fmt.Sprintf("all %d images %s", n, many))
		case n > 0:
			notes = append(notes, fmt.Sprintf("%d of %d images %s", n, s.seen.Images, many))
		}
	}
	drawn := fmt.Sprintf("transparent pixels, drawn on %s (--background)", shade(*s.options.Background))
	share(s.seen.Clear, "has "+drawn, "have "+drawn)
	share(s.plain, "has one value throughout", "have one value throughout")
	if note := s.unused(); note != "" {
		notes = append(notes, note)
	}
	return notes
}

func shade(v uint8) string {
	switch v {
	case 0:
		return "black"
	case white:
		return "white"
	}
	return fmt.Sprintf("the grey %d", v)
}

// unused says that the values take less than half of the range that they could.
func (s *stream) unused() string {
	if !s.seen.Values || s.seen.Wide() || s.options.Range != nil || s.seen.Hi == s.seen.Lo {
		return ""
	}
	if s.seen.Deep > 0 && s.seen.Deep < s.seen.Images {
		return ""
	}
	full := 255.0
	if s.seen.Deep > 0 {
		full = 65535
	}
	if s.collection.Full > 0 {
		full = s.collection.Full
	}
	least, most := float64(s.seen.Lo)/65535*full, float64(s.seen.Hi)/65535*full
	lo, hi := least, most
	if lo < hi/8 {
		lo = 0
	}
	if s.seen.Deep > 0 { // 10, 12 or 14 bits, most likely
		hi = math.Exp2(math.Ceil(math.Log2(hi+1))) - 1
	}
	return fmt.Sprintf("the values lie between %s and %s of %s, %.0f %% of the range: --range %s,%s would stretch it",
		number(least), number(most), number(full), 100*(most-least)/full, number(lo), number(hi))
}

// number is v with four digits at most behind the point.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }
