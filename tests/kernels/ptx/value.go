package ptx

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

type value = func(a, b, c uint64) uint64

// valueOf is what an instruction computes, by the parts of its name.
func valueOf(parts []string) (value, error) {
	op, kind := parts[0], parts[len(parts)-1]
	var f value
	switch op {
	case "mov", "cvta":
		return func(a, b, _ uint64) uint64 { return a }, nil
	case "selp":
		return func(a, b, c uint64) uint64 {
			if c != 0 {
				return a
			}
			return b
		}, nil
	case "setp":
		return comparison(parts)
	case "cvt":
		return conversion(parts)
	}
	switch kind {
	case "f32":
		f = single(op, slices.Contains(parts, "rm"))
	case "f64":
		f = double(op)
	default:
		f = integer(op, parts[1], kind)
	}
	if f == nil {
		return nil, fmt.Errorf("no instruction %s", strings.Join(parts, "."))
	}
	return f, nil
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func single(op string, down bool) value {
	one := func(f func(x float64) float64) value {
		return func(a, _, _ uint64) uint64 { return b32(float32(f(float64(f32(a))))) }
	}
	two := func(f func(x, y float32) float32) value {
		return func(a, b, _ uint64) uint64 { return b32(f(f32(a), f32(b))) }
	}
	switch op {
	case "add":
		return two(func(x, y float32) float32 { return x + y })
	case "sub":
		return two(func(x, y float32) float32 { return x - y })
	case "mul":
		return two(func(x, y float32) float32 { return x * y })
	case "div":
		return two(func(x, y float32) float32 { return x / y })
	case "max":
		return two(func(x, y float32) float32 { return pick(x, y, x > y) })
	case "min":
		return two(func(x, y float32) float32 { return pick(x, y, x < y) })
	case "fma":
		return func(a, b, c uint64) uint64 {
			exact := math.FMA(float64(f32(a)), float64(f32(b)), float64(f32(c)))
			v := float32(exact)
			if down && float64(v) > exact {
				v = math.Nextafter32(v, float32(math.Inf(-1)))
			}
			return b32(v)
		}
	case "neg":
		return func(a, _, _ uint64) uint64 { return a ^ 1<<31 }
	case "abs":
		return func(a, _, _ uint64) uint64 { return a &^ (1 << 31) }
	case "rcp":
		return one(func(x float64) float64 { return 1 / x })
	case "sqrt":
		return one(math.Sqrt)
	case "rsqrt":
		return one(func(x float64) float64 { return 1 / math.Sqrt(x) })
	case "ex2":
		return one(math.Exp2)
	case "lg2":
		return one(math.Log2)
	}
	return nil
}

// pick is a maximum's or a minimum's: a number wins over what is none.
func pick(x, y float32, first bool) float32 {
	if first || y != y {
		return x
	}
	return y
}

func double(op string) value {
	f, bits := math.Float64frombits, math.Float64bits
	switch op {
	case "add":
		return func(a, b, _ uint64) uint64 { return bits(f(a) + f(b)) }
	case "sub":
		return func(a, b, _ uint64) uint64 { return bits(f(a) - f(b)) }
	case "mul":
		return func(a, b, _ uint64) uint64 { return bits(f(a) * f(b)) }
	case "div":
		return func(a, b, _ uint64) uint64 { return bits(f(a) / f(b)) }
	case "fma":
		return func(a, b, c uint64) uint64 { return bits(math.FMA(f(a), f(b), f(c))) }
	case "neg":
		return func(a, _, _ uint64) uint64 { return a ^ 1<<63 }
	case "abs":
		return func(a, _, _ uint64) uint64 { return a &^ (1 << 63) }
	case "rcp":
		return func(a, _, _ uint64) uint64 { return bits(1 / f(a)) }
	case "sqrt":
		return func(a, _, _ uint64) uint64 { return bits(math.Sqrt(f(a))) }
	}
	return nil
}

// integer is of arithmetic of a kind such as s32; what is computed is cut to its width.
func integer(op, mode, kind string) value {
	f := integers(op, mode, kind)
	if f == nil || op == "mul" && mode == "wide" || op == "mad" && mode == "wide" {
		return f
	}
	mask := widthOf(kind)
	return func(a, b, c uint64) uint64 { return f(a, b, c) & mask }
}

func widthOf(kind string) uint64 {
	switch {
	case kind == "pred":
		return 1
	case strings.HasSuffix(kind, "64"):
		return math.MaxUint64
	case strings.HasSuffix(kind, "16"):
		return math.MaxUint16
	}
	return math.MaxUint32
}

// widened is a value of a kind in 64 bits.
func widened(kind string) func(uint64) int64 {
	switch kind {
	case "s16":
		return func(v uint64) int64 { return int64(int16(v)) }
	case "s32":
		return func(v uint64) int64 { return int64(int32(v)) }
	case "s64", "u64", "b64":
		return func(v uint64) int64 { return int64(v) }
	case "u16", "b16":
		return func(v uint64) int64 { return int64(uint16(v)) }
	}
	return func(v uint64) int64 { return int64(uint32(v)) }
}

func integers(op, mode, kind string) value {
	w := widened(kind)
	two := func(f func(x, y int64) int64) value {
		return func(a, b, _ uint64) uint64 { return uint64(f(w(a), w(b))) }
	}
	switch op {
	case "add":
		return two(func(x, y int64) int64 { return x + y })
	case "sub":
		return two(func(x, y int64) int64 { return x - y })
	case "mul":
		if mode == "hi" {
			return two(func(x, y int64) int64 { return x * y >> 32 })
		}
		return two(func(x, y int64) int64 { return x * y })
	case "mad":
		return func(a, b, c uint64) uint64 { return uint64(w(a)*w(b)) + c }
	case "div":
		return two(func(x, y int64) int64 { return x / max(y, 1) }) // divisors here are sizes
	case "rem":
		return two(func(x, y int64) int64 { return x % max(y, 1) })
	case "min":
		return two(func(x, y int64) int64 { return min(x, y) })
	case "max":
		return two(func(x, y int64) int64 { return max(x, y) })
	case "neg":
		return func(a, _, _ uint64) uint64 { return -a }
	case "not":
		return func(a, _, _ uint64) uint64 { return ^a }
	case "and":
		return func(a, b, _ uint64) uint64 { return a & b }
	case "or":
		return func(a, b, _ uint64) uint64 { return a | b }
	case "xor":
		return func(a, b, _ uint64) uint64 { return a ^ b }
	case "shl":
		return func(a, b, _ uint64) uint64 { return a << (b & 0xff) }
	case "shr":
		return func(a, b, _ uint64) uint64 { return uint64(w(a) >> min(b&0xffffffff, 63)) }
	}
	return nil
}

func comparison(parts []string) (value, error) {
	kind, op := parts[len(parts)-1], parts[1]
	var compare func(a, b uint64) bool
	switch kind {
	case "f32":
		compare = floats(op, func(v uint64) float64 { return float64(f32(v)) })
	case "f64":
		compare = floats(op, math.Float64frombits)
	default:
		compare = whole(op, kind)
	}
	if compare == nil || len(parts) > 4 {
		return nil, fmt.Errorf("no comparison %s", strings.Join(parts, "."))
	}
	if len(parts) == 3 {
		return func(a, b, _ uint64) uint64 { return truth(compare(a, b)) }, nil
	}
	if parts[2] == "and" {
		return func(a, b, c uint64) uint64 { return truth(compare(a, b)) & c }, nil
	}
	return func(a, b, c uint64) uint64 { return truth(compare(a, b)) | c }, nil
}

func floats(op string, of func(uint64) float64) func(a, b uint64) bool {
	orders := map[string]func(x, y float64) bool{
		"eq": func(x, y float64) bool { return x == y }, "lt": func(x, y float64) bool { return x < y }, "le": func(x, y float64) bool { return x <= y },
		"gt": func(x, y float64) bool { return x > y }, "ge": func(x, y float64) bool { return x >= y },
		"ne":  func(x, y float64) bool { return x != y && x == x && y == y },
		"num": func(x, y float64) bool { return x == x && y == y }, "nan": func(x, y float64) bool { return x != x || y != y },
		"neu": func(x, y float64) bool { return x != y }, "ltu": func(x, y float64) bool { return !(x >= y) }, "leu": func(x, y float64) bool { return !(x > y) },
		"gtu": func(x, y float64) bool { return !(x <= y) }, "geu": func(x, y float64) bool { return !(x < y) },
	}
	order := orders[op]
	if order == nil {
		return nil
	}
	return func(a, b uint64) bool { return order(of(a), of(b)) }
}

func whole(op, kind string) func(a, b uint64) bool {
	w := widened(kind)
	if kind == "u64" && op != "eq" && op != "ne" {
		return nil // these are beyond int64, and no kernel orders addresses
	}
	switch op {
	case "eq":
		return func(a, b uint64) bool { return w(a) == w(b) }
	case "ne":
		return func(a, b uint64) bool { return w(a) != w(b) }
	case "lt":
		return func(a, b uint64) bool { return w(a) < w(b) }
	case "le":
		return func(a, b uint64) bool { return w(a) <= w(b) }
	case "gt":
		return func(a, b uint64) bool { return w(a) > w(b) }
	case "ge":
		return func(a, b uint64) bool { return w(a) >= w(b) }
	}
	return nil
}

// conversion is of cvt.MODES.TO.FROM.
func conversion(parts []string) (value, error) {
	to, from := parts[len(parts)-2], parts[len(parts)-1]
	var read func(uint64) float64
	switch from {
	case "f32":
		read = func(v uint64) float64 { return float64(f32(v)) }
	case "f64":
		read = math.Float64frombits
	}
	if read == nil && to[0] != 'f' {
		w, mask := widened(from), widthOf(to)
		return func(a, _, _ uint64) uint64 { return uint64(w(a)) & mask }, nil
	}
	if read == nil {
		w := widened(from)
		read = func(v uint64) float64 { return float64(w(v)) }
	}
	read = rounded(parts, read)
	switch to {
	case "f32":
		return func(a, _, _ uint64) uint64 { return b32(float32(read(a))) }, nil
	case "f64":
		return func(a, _, _ uint64) uint64 { return math.Float64bits(read(a)) }, nil
	case "bf16":
		return func(a, _, _ uint64) uint64 { u := uint32(a); return uint64((u + 0x7fff + u>>16&1) >> 16) }, nil
	case "s32", "u32":
		return func(a, _, _ uint64) uint64 { return uint64(uint32(int64(read(a)))) }, nil
	}
	return nil, fmt.Errorf("no conversion %s", strings.Join(parts, "."))
}

func rounded(parts []string, read func(uint64) float64) func(uint64) float64 {
	switch {
	case slices.Contains(parts, "sat"):
		return func(v uint64) float64 { return min(max(read(v), 0), 1) }
	case slices.Contains(parts, "rni"):
		return func(v uint64) float64 { return math.RoundToEven(read(v)) }
	case slices.Contains(parts, "rzi"):
		return func(v uint64) float64 { return math.Trunc(read(v)) }
	}
	return read
}
