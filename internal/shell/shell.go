// Package shell writes command lines that a person can copy into a POSIX shell.
// It is pure.
package shell

import "strings"

// plain are the bytes beside letters and digits that no shell reads as its own.
const plain = "@%_-+=:,./"

// Quote is a word as a shell reads it back: as it is where it is plain, else in
// single quotes.
func Quote(word string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(plain, r))
	}
	if word != "" && !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Line quotes and joins words.
func Line(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
