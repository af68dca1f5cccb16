package docs_test

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"moncae/classify"
	"moncae/compress"
	"moncae/export"
	"moncae/internal/dataset"
	"moncae/internal/run"
	"moncae/internal/score"
	"moncae/internal/view"
)

// printed are the documents of --json by the heading that describes them.
var printed = []struct {
	page, heading string
	value         any
}{
	{"front.md", "# Front, version 1", run.Front{}},
	{"compare.md", "# Comparison, version 1", view.Comparison{}},
	{"json.md", "## moncae export --json", export.Result{}},
	{"json.md", "## moncae compress --json", compress.Report{}},
	{"json.md", "## moncae decompress --json", compress.DecompressReport{}},
	{"json.md", "## moncae bench compress --json", compress.BenchReport{}},
	{"json.md", "## moncae classify --json", classify.Report{}},
	{"json.md", "## moncae classify RUN --json", score.Table{}},
	{"json.md", "## moncae data info --json", dataset.Info{}},
}

// TestFormatPagesNameEveryField: a document's names are in its section, those
// within them on its page, and each name in the section's table is in the document.
func TestFormatPagesNameEveryField(t *testing.T) {
	code := regexp.MustCompile("`([a-z0-9_]+)`")
	for _, p := range printed {
		page := filepath.Join("format", p.page)
		text, whole := section(t, page, p.heading), read(t, page)
		names := map[string]bool{} // true: of the document itself
		collect(reflect.TypeOf(p.value), names, true)
		if len(names) < 4 {
			t.Fatalf("%s: %d names were found", p.heading, len(names))
		}
		for name, own := range names {
			if in := map[bool]string{true: text, false: whole}[own]; !strings.Contains(in, "`"+name+"`") {
				t.Errorf("%s: %s is not described", p.heading, name)
			}
		}
		if p.page == "front.md" || p.heading == "## moncae data info --json" {
			names["stats"], names["bce"] = true, true // beside the struct's own
		}
		for line := range strings.Lines(text) {
			if row := strings.SplitN(line, "|", 3); len(row) == 3 && row[0] == "" {
				for _, m := range code.FindAllStringSubmatch(row[1], -1) {
					if _, ok := names[m[1]]; !ok {
						t.Errorf("%s: there is no %s", p.heading, m[1])
					}
				}
			}
		}
	}
}

// collect puts the JSON names of a type and of all types in it into names.
func collect(t reflect.Type, names map[string]bool, own bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name != "":
			names[name] = names[name] || own
			if name != "checks" { // has a page of its own
				collect(f.Type, names, false)
			}
		case f.Anonymous:
			collect(f.Type, names, own)
		}
	}
}

// section is a page from a heading to the next of the same level.
func section(t *testing.T, path, heading string) string {
	t.Helper()
	text := read(t, path)
	_, text, ok := strings.Cut(text, heading+"\n")
	if !ok {
		t.Fatalf("%s has no %q", path, heading)
	}
	mark, _, _ := strings.Cut(heading, " ")
	text, _, _ = strings.Cut(text, "\n"+mark+" ")
	return text
}
