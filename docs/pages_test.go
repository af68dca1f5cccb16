package docs_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// span is code within a line.
var span = regexp.MustCompile("`[^`]*`")

// pages are all Markdown files that a reader meets, by path below root.
func pages(t *testing.T, root string) []string {
	t.Helper()
	found := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		found = append(found, below(t, root, pattern)...)
	}
	return found
}

func notebooks(t *testing.T, root string) []string { return below(t, root, "notebooks/*.ipynb") }

func below(t *testing.T, root, pattern string) []string {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range matches {
		if matches[i], err = filepath.Rel(root, m); err != nil {
			t.Fatal(err)
		}
	}
	return matches
}

// prose gives the lines of a page outside of fenced blocks.
func prose(t *testing.T, path string, each func(n int, line string)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fenced := false
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<22) // a notebook's picture is one line
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Text()
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if !fenced {
			each(n, line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
