// Package docs_test runs every command that README and docs show.
//
// Blocks fenced as sh or python are run in the order of the pages list, all in
// one scratch folder, so that a page can go on with what an earlier one made.
// A block with `<!-- norun: reason -->` on the line before it is not run; norun
// lists these. `make test-docs` runs this; it needs bin/moncae and the Python
// environment of `make test-python`. Commands within a sentence are held
// against the command line's words and flags.
package docs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// first are the pages whose results others use.
var first = []string{"README.md", "docs/tutorial.md"}

type block struct {
	page     string
	line     int
	language string
	text     string
	norun    string
}

func TestEveryCommandInTheDocsRuns(t *testing.T) {
	bin, python := os.Getenv("MONCAE_DOCS_BIN"), os.Getenv("MONCAE_DOCS_PYTHON")
	if bin == "" || python == "" {
		t.Skip("runs with `make test-docs`, which sets MONCAE_DOCS_BIN and MONCAE_DOCS_PYTHON")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	if err := os.Symlink(filepath.Dir(bin), filepath.Join(scratch, "bin")); err != nil { // the README says bin/moncae
		t.Fatal(err)
	}
	path := filepath.Dir(bin) + ":" + filepath.Dir(python) + ":" + os.Getenv("PATH")
	env := append(os.Environ(), "PATH="+path)
	if shared := os.Getenv("MONCAE_DATA"); shared != "" {
		if err := os.Symlink(shared, filepath.Join(scratch, "data")); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, b := range blocks(t, root) {
		if b.norun != "" {
			t.Logf("not run: %s:%d: %s", b.page, b.line, b.norun)
			continue
		}
		if err := execute(b, scratch, env); err != nil {
			t.Fatalf("%s:%d: %v", b.page, b.line, err)
		}
		ran++
	}
	if ran < 10 {
		t.Errorf("only %d blocks ran: the pages or their fences were not found", ran)
	}
}

func execute(b block, dir string, env []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	command := []string{"bash", "-euo", "pipefail", "-c", b.text}
	if b.language == "python" {
		command = []string{"python", "-c", b.text}
	}
	name, err := lookup(command[0], env)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, name, command[1:]...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, b.text, out)
	}
	return nil
}

// lookup finds a program on the PATH of env, which is not the test's own.
func lookup(name string, env []string) (string, error) {
	for _, dir := range strings.Split(strings.TrimPrefix(env[len(env)-1], "PATH="), ":") {
		p := filepath.Join(dir, name)
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not on the path", name)
}

func blocks(t *testing.T, root string) []block {
	t.Helper()
	order := append([]string(nil), first...)
	for _, page := range pages(t, root) {
		if !slices.Contains(first, page) {
			order = append(order, page)
		}
	}
	var all []block
	for _, page := range order {
		bs, err := parse(root, page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bs...)
	}
	return all
}

// command begins a line that should be in a block of sh.
var command = regexp.MustCompile(`^\s*(bin/)?(moncae (search|front|finetune|export|compress|decompress|classify|report|serve|data|bench|doctor)|make) ?`)

// parse finds the fenced sh and python blocks of a page.
func parse(root, page string) ([]block, error) {
	f, err := os.Open(filepath.Join(root, page))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []block
	var open *block
	fenced, unnamed, norun := false, false, ""
	scanner := bufio.NewScanner(f)
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Text()
		switch {
		case strings.HasPrefix(line, "```") && fenced:
			if open != nil {
				all = append(all, *open)
			}
			fenced, open, norun = false, nil, ""
		case strings.HasPrefix(line, "```"):
			fenced = true
			language, _, _ := strings.Cut(strings.TrimPrefix(line, "```"), " ")
			unnamed = language == ""
			if language == "sh" || language == "python" {
				open = &block{page: page, line: n, language: language, norun: norun}
			}
		case open != nil:
			open.text += line + "\n"
		case fenced && unnamed && command.MatchString(line) && !strings.HasPrefix(page, "docs/reference/"):
			return nil, fmt.Errorf("%s:%d: %q stands in a block that is not fenced as sh, so nothing runs it", page, n, line)
		case strings.HasPrefix(line, "<!-- norun: "):
			norun = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- norun: "), " -->")
		case line != "":
			norun = ""
		}
	}
	return all, scanner.Err()
}
