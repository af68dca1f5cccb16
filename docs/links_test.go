package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// link finds [text](target) and ![text](target); code spans are cut out before.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLead follows every relative link of the pages and notebooks, and
// every anchor to a heading.
func TestLinksLead(t *testing.T) {
	root := ".."
	checked := 0
	for _, page := range append(pages(t, root), notebooks(t, root)...) {
		for _, target := range links(t, filepath.Join(root, page)) {
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			checked++
			path, anchor, _ := strings.Cut(target, "#")
			to := filepath.Join(root, page)
			if path != "" {
				to = filepath.Join(root, filepath.Dir(page), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", page, target)
				continue
			}
			if anchor != "" && !anchors(t, to)[anchor] {
				t.Errorf("%s: %s names no heading of %s", page, target, to)
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d links were found", checked)
	}
}

func links(t *testing.T, path string) []string {
	var all []string
	prose(t, path, func(_ int, line string) {
		for _, m := range link.FindAllStringSubmatch(span.ReplaceAllString(line, ""), -1) {
			all = append(all, m[1])
		}
	})
	return all
}

// anchors are the names that headings get: lower case, blanks to hyphens, other
// signs dropped.
func anchors(t *testing.T, path string) map[string]bool {
	all := map[string]bool{}
	prose(t, path, func(_ int, line string) {
		title := strings.TrimLeft(line, "#")
		if title == line {
			return
		}
		all[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))] = true
	})
	return all
}
