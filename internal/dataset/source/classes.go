package source

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/fault"
)

// MaxClasses is how many classes labels can tell apart: a number beyond is more
// likely no label at all, and would ask for a classifier that fits no memory.
const MaxClasses = 1 << 16

// CheckClass tells whether a label of a file can be the number of a class.
func CheckClass(label int64) error {
	if label < 0 || label >= MaxClasses {
		return fmt.Errorf("%d is no class number from 0 to %d", label, MaxClasses-1)
	}
	return nil
}

// nones are the words by which tables say that nothing is known: those that pandas takes so.
var nones = strings.Fields("#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null")

// Known is a label in a table of text, "" where the word says that there is none.
func Known(word string) string {
	if slices.Contains(nones, word) || word == "#N/A N/A" {
		return ""
	}
	return word
}

// ClassNames are the names in a file of n words, the numbers from 0 without one.
func ClassNames(f *File, n int) ([]string, error) {
	var names []string
	if f == nil {
		for i := range n {
			names = append(names, strconv.Itoa(i))
		}
		return names, nil
	}
	b, err := f.Content(1 << 16)
	if err != nil {
		return nil, err
	}
	if names = strings.Fields(string(b)); len(names) != n {
		return nil, fault.Usagef("%s: names %d classes, there are %d", f.Path, len(names), n)
	}
	return names, nil
}

// Content is what is in a file, at most that many bytes of it.
func (f *File) Content(most int64) ([]byte, error) {
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	defer func() { _ = r.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	return b, nil
}
