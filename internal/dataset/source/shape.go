package source

import (
	"math"
	"strings"

	"moncae/internal/arch"
)

// leastSide is that of the smallest image that a row of values is taken for.
const leastSide = 8

// Square is the side of the grey square that a row of n values is, 0 where it is none.
func Square(n int64) int {
	if s := int64(math.Round(math.Sqrt(float64(n)))); s*s == n && s >= leastSide && s < 1<<15 {
		return int(s)
	}
	return 0
}

// RawOf is the layout of images with these sides: H×W, H×W×C or C×H×W, with C 1 or 3
// (where both would do, the last is C); nil for others.
func RawOf(sides []int64) *Raw {
	channels := func(n int64) bool { return n == 1 || n == 3 }
	switch n := len(sides); {
	case n == 2:
		return &Raw{Shape: arch.Shape{C: 1, H: int(sides[0]), W: int(sides[1])}, Planar: true}
	case n == 3 && channels(sides[2]):
		return &Raw{Shape: arch.Shape{C: int(sides[2]), H: int(sides[0]), W: int(sides[1])}}
	case n == 3 && channels(sides[0]):
		return &Raw{Shape: arch.Shape{C: int(sides[0]), H: int(sides[1]), W: int(sides[2])}, Planar: true}
	}
	return nil
}

// order is that of the splits in a collection.
var order = []string{Train, Val, Test, Whole}

// Order is that of the splits in a collection.
func Order() []string { return order }

// IsPixelName tells by a column's name whether it holds a value: pixel0, 1x1, 0.1.
func IsPixelName(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	rest := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz_ ")
	return rest != "" && strings.ContainsAny(rest[:1], "0123456789") && strings.Trim(rest, "0123456789x._-, ") == ""
}
