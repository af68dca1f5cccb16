package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table prints rows under a head, columns as wide as they need to be; the first
// left columns are flush left, the others right. A nil row is a ruled line.
type table struct {
	head []string
	rows [][]string
	left int
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) error {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	total := 2 * (len(widths) - 1)
	for _, n := range widths {
		total += n
	}
	rule := strings.Repeat("─", total)
	lines := []string{t.line(t.head, widths), rule}
	for _, row := range t.rows {
		if row == nil {
			lines = append(lines, rule)
			continue
		}
		lines = append(lines, t.line(row, widths))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func (t *table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		switch {
		case i < t.left:
			b.WriteString(cell + pad)
		default:
			b.WriteString(pad + cell)
		}
		b.WriteString("  ")
	}
	return strings.TrimRight(b.String(), " ")
}
