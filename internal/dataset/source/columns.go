package source

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Columns say where images and labels stand, where that is asked for and not found.
type Columns struct {
	LabelFile string `json:"label_file,omitempty"`   // a table beside images
	Label     string `json:"label_column,omitempty"` // of that table, or of the data itself
	Image     string `json:"image_column,omitempty"` // likewise; in a table beside images, that of their names
}

// JSON is what a run keeps, nil where nothing was asked for.
func (c Columns) JSON() (json.RawMessage, error) {
	if c == (Columns{}) {
		return nil, nil
	}
	return json.Marshal(c)
}

// Classes numbers the words of several splits' labels: as they are where all are whole
// numbers, otherwise by byte order, those of the first split first; "" is none. The
// results are the names, and a number for every word.
func Classes(known []string, splits ...[]string) (names []string, numbers map[string]int32) {
	names, numbers = slices.Clone(known), map[string]int32{"": -1}
	if most, ok := whole(splits); ok && known == nil {
		for i := range most + 1 {
			names = append(names, strconv.Itoa(i))
		}
		for _, words := range splits {
			for _, w := range words {
				if n, ok := wholeNumber(w); ok {
					numbers[w] = int32(n)
				}
			}
		}
		return names, numbers
	}
	for i, n := range names {
		numbers[n] = int32(i)
	}
	for _, words := range splits {
		fresh := map[string]bool{}
		for _, w := range words {
			if _, known := numbers[w]; !known {
				fresh[w] = true
			}
		}
		for _, w := range slices.Sorted(maps.Keys(fresh)) {
			numbers[w] = int32(len(names))
			names = append(names, w)
		}
	}
	return names, numbers
}

// whole tells whether all words are whole numbers that can be class numbers, and the
// largest.
func whole(splits [][]string) (most int, ok bool) {
	most = -1
	for _, words := range splits {
		for _, w := range words {
			if w == "" {
				continue
			}
			n, ok := wholeNumber(w)
			if !ok || n < 0 || n >= MaxClasses {
				return 0, false
			}
			most = max(most, n)
		}
	}
	return most, most >= 0
}

// wholeNumber is the value of 3 and of 3.0.
func wholeNumber(s string) (int, bool) {
	if head, zeros, found := strings.Cut(s, "."); found && strings.Trim(zeros, "0") == "" {
		s = head
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}
