package cli

import (
	"fmt"
	"strconv"
	"strings"

	"moncae/internal/suggest"
)

// sizeFlag is a height and width, HxW.
type sizeFlag struct{ to **[2]int }

func (f sizeFlag) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return fmt.Sprintf("%dx%d", (*f.to)[0], (*f.to)[1])
}

func (f sizeFlag) Set(s string) error {
	h, w, ok := strings.Cut(strings.ToLower(s), "x")
	if !ok {
		w = h
	}
	var size [2]int
	for i, side := range []string{h, w} {
		n, err := strconv.Atoi(side)
		if err != nil || n < 1 || n > 4096 {
			return fmt.Errorf("%q is not a size: give HEIGHTxWIDTH in pixels, for example 32x32", s)
		}
		size[i] = n
	}
	*f.to = &size
	return nil
}

func (sizeFlag) Type() string { return "HxW" }

// bytesFlag is a number of bytes, with the endings K, M, G (powers of 1024).
type bytesFlag struct{ to *int64 }

func (f bytesFlag) String() string {
	if f.to == nil || *f.to == 0 {
		return ""
	}
	return humanBytes(*f.to)
}

func (f bytesFlag) Set(s string) error {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "B"), "I")
	unit := int64(1)
	if i := strings.IndexAny(number, "KMGT"); i >= 0 && i == len(number)-1 {
		unit = 1 << (10 * (strings.IndexByte("KMGT", number[i]) + 1))
		number = number[:i]
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0) || n*float64(unit) > 1<<62 {
		return fmt.Errorf("%q is not an amount of memory: give bytes, or for example 512M or 4G", s)
	}
	*f.to = int64(n * float64(unit))
	return nil
}

func (bytesFlag) Type() string { return "bytes" }

// humanBytes writes an amount of memory with three digits.
func humanBytes(n int64) string {
	value, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", value, unit)
}

// choice is a flag that takes one of a few words.
type choice struct {
	to      *string
	allowed []string
}

func (c choice) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

func (c choice) Set(s string) error {
	for _, a := range c.allowed {
		if s == a {
			*c.to = s
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s%s", s, strings.Join(c.allowed, ", "), suggest.Meant(s, c.allowed))
}

func (c choice) Type() string { return strings.Join(c.allowed, "|") }
