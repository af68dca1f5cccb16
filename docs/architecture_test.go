package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitectureNamesEveryPackage holds the table of layers against the
// folders, both ways. Packages below one that is named go with it.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	named := map[string]bool{}
	for line := range strings.Lines(section(t, "architecture.md", "## Layers")) {
		if strings.HasPrefix(line, "|") {
			for _, m := range regexp.MustCompile("`((?:cmd|search|export|compress|classify|internal)[a-z/]*)`").FindAllStringSubmatch(line, -1) {
				named[m[1]] = true
			}
		}
	}
	for name := range named {
		if files, _ := filepath.Glob(filepath.Join("..", name, "*.go")); len(files) == 0 {
			t.Errorf("%s is in the table, and no package", name)
		}
	}
	packages := 0
	for _, top := range []string{"cmd", "search", "export", "compress", "classify", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || d.Name() == "testdata" {
				return err
			}
			if files, _ := filepath.Glob(filepath.Join(path, "*.go")); len(files) == 0 {
				return nil
			}
			packages++
			for name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(os.PathSeparator))); ; name = filepath.ToSlash(filepath.Dir(name)) {
				if named[name] {
					return nil
				}
				if name == "." {
					t.Errorf("%s is not in the table of layers", path)
					return nil
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(named) < 20 || packages < 30 {
		t.Errorf("%d packages named, %d found", len(named), packages)
	}
}

// TestLintRulesNamePackages: a rule or an exemption for files that don't exist holds
// nothing.
func TestLintRulesNamePackages(t *testing.T) {
	rules := read(t, "../.golangci.yml")
	patterns := regexp.MustCompile(`"!?\*\*/([a-z][^"]*\.go)"`).FindAllStringSubmatch(rules, -1)
	if len(patterns) < 20 {
		t.Fatalf("%d patterns were found", len(patterns))
	}
	for _, m := range patterns {
		all := []string{m[1]}
		if before, rest, ok := strings.Cut(m[1], "{"); ok {
			names, after, _ := strings.Cut(rest, "}")
			all = nil
			for _, name := range strings.Split(names, ",") {
				all = append(all, before+name+after)
			}
		}
		for _, p := range all {
			if files, err := filepath.Glob(filepath.Join("..", strings.ReplaceAll(p, "**", "*"))); err != nil || len(files) == 0 {
				t.Errorf("%s: there is no such file (%v)", p, err)
			}
		}
	}
}
