// Package suggest finds the word that somebody meant who wrote another. It is pure.
package suggest

import (
	"fmt"
	"strings"
)

// Closest is the word of a list that another was meant to be: the one that the
// fewest insertions, deletions, exchanges and swaps of neighbours lead to, if they
// are a third of its letters at most, or that it is the beginning of; "" without one.
func Closest(word string, among []string) string {
	best, least := "", max(1, len(word)/3)+1
	word = strings.ToLower(word)
	for _, a := range among {
		if d := distance(word, strings.ToLower(a)); d < least {
			best, least = a, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, a := range among {
		if strings.HasPrefix(a, word) {
			return a
		}
	}
	return ""
}

// Meant is a question to put behind a message; "" where no word is close.
func Meant(word string, among []string) string {
	if c := Closest(word, among); c != "" {
		return fmt.Sprintf("; did you mean %s?", c)
	}
	return ""
}

// distance is that of optimal string alignment, over bytes.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
