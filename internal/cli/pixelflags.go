package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// greyFlag is a grey: white, black, or a number from 0 to 255.
type greyFlag struct{ to **uint8 }

func (f greyFlag) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return strconv.Itoa(int(**f.to))
}

func (f greyFlag) Set(s string) error {
	named := map[string]uint8{"white": 255, "black": 0}
	v, ok := named[s]
	if !ok {
		n, err := strconv.ParseUint(s, 10, 8)
		if err != nil {
			return fmt.Errorf("%q is no background: give white, black, or a grey from 0 to 255", s)
		}
		v = uint8(n)
	}
	*f.to = &v
	return nil
}

func (greyFlag) Type() string { return "grey" }

// rangeFlag are two numbers, LO,HI.
type rangeFlag struct{ to **[2]float64 }

func (f rangeFlag) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return fmt.Sprintf("%v,%v", (*f.to)[0], (*f.to)[1])
}

func (f rangeFlag) Set(s string) error {
	var ends [2]float64
	parts := strings.Split(s, ",")
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if len(parts) != 2 || err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("%q is no range: give the values of black and white as LO,HI, for example 0,4095", s)
		}
		ends[i] = v
	}
	if !(ends[0] < ends[1]) {
		return fmt.Errorf("%q is no range: the first value, which becomes black, is the lower one", s)
	}
	*f.to = &ends
	return nil
}

func (rangeFlag) Type() string { return "LO,HI" }

// numbersFlag are numbers with commas between them.
type numbersFlag struct{ to *[]float64 }

func (f numbersFlag) String() string {
	if f.to == nil {
		return ""
	}
	words := make([]string, len(*f.to))
	for i, v := range *f.to {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strings.Join(words, ",")
}

func (f numbersFlag) Set(s string) error {
	var values []float64
	for part := range strings.SplitSeq(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return fmt.Errorf("%q is no list of numbers: give one for each channel, as 0.485,0.456,0.406", s)
		}
		values = append(values, v)
	}
	*f.to = values
	return nil
}

func (numbersFlag) Type() string { return "numbers" }
