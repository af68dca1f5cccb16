package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// table prints rows under a head, columns as wide as they need to be; the first
// left columns are flush left, the others right. A nil row is a ruled line.
type table struct {
	head        []string
	rows        [][]string
	left        int
	dispensable []int // of each column; where the table is too wide, the largest goes first, 0 never
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// widest are the widths of the columns of some rows.
func widest(columns int, rows ...[]string) []int {
	widths := make([]int, columns)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func (t *table) widths() (widths []int, total int) {
	widths = widest(len(t.head), append([][]string{t.head}, t.rows...)...)
	total = 2 * (len(widths) - 1)
	for _, n := range widths {
		total += n
	}
	return widths, total
}

// fit leaves out dispensable columns until the table is no wider than so many columns
// of the terminal; 0: any number.
func (t *table) fit(columns int) {
	for columns > 0 {
		if _, total := t.widths(); total <= columns {
			return
		}
		most := slices.Max(t.dispensable)
		if most == 0 {
			t.shorten(columns)
			return
		}
		at := slices.Index(t.dispensable, most)
		t.head, t.dispensable = slices.Delete(t.head, at, at+1), slices.Delete(t.dispensable, at, at+1)
		for i, row := range t.rows {
			if row != nil {
				t.rows[i] = slices.Delete(row, at, at+1)
			}
		}
	}
}

// shortest is what is left of a name where a table is too wide, at least.
const shortest = 6

// shorten cuts names, the longest first, as far as it takes: those of the left
// columns, and the heads of the others.
func (t *table) shorten(columns int) {
	widths, total := t.widths()
	least := widest(len(t.head), t.rows...)
	for i := range least {
		if least[i] = max(least[i], shortest); i < t.left {
			least[i] = shortest
		}
	}
	for ; total > columns; total-- {
		at := -1
		for i := range widths {
			if widths[i] > least[i] && (at < 0 || widths[i] > widths[at]) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		widths[at]--
	}
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i := range row {
			if r := []rune(row[i]); len(r) > widths[i] {
				row[i] = string(r[:widths[i]-1]) + "…"
			}
		}
	}
}

func (t *table) print(w io.Writer) error {
	widths, total := t.widths()
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
