package docs_test

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"moncae/internal/cli"
)

// norun are the blocks that no test here runs: page, reason, how many.
var norun = map[[2]string]int{
	{"README.md", "the tests' own build has done it"}:                                                            1,
	{"README.md", "the docs' tests run in a checkout's environment"}:                                             1,
	{"README.md", "python/tests/test_readme.py runs it with the wheel installed"}:                                1,
	{"docs/how-to/latents-at-work.md", "python/tests/test_readme.py runs it"}:                                    4,
	{"docs/how-to/ray-and-spark.md", "python/tests/test_readme.py runs it"}:                                      4,
	{"docs/how-to/cluster.md", "installs Ray; make test-ray runs what follows it"}:                               1,
	{"docs/how-to/cluster.md", "needs Ray; make test-ray runs it"}:                                               1,
	{"docs/scale.md", "half a minute; the block before runs the command"}:                                        1,
	{"docs/scale.md", "worker.txtar runs it on a run of its own"}:                                                1,
	{"docs/how-to/cluster.md", "needs Slurm"}:                                                                    1,
	{"docs/how-to/cluster.md", "needs Kubernetes"}:                                                               1,
	{"docs/benchmarks.md", "an hour of searches, and builds another binary"}:                                     1,
	{"docs/benchmarks.md", "a measurement; worker.txtar tests the command"}:                                      1,
	{"docs/benchmarks.md", "measures for hours, with PyTorch and TensorFlow"}:                                    1,
	{"docs/benchmarks.md", "half an hour, with PyTorch and TensorFlow"}:                                          1,
	{"docs/benchmarks.md", "an hour of trainings"}:                                                               1,
	{"docs/benchmarks.md", "a quarter of an hour; scripts of the command line try search"}:                       1,
	{"docs/benchmarks.md", "a measurement; a script of the command line tries the command"}:                      1,
	{"docs/benchmarks.md", "the file isn't there; the report of /usr/bin/time is what counts"}:                   1,
	{"docs/benchmarks.md", "a measurement; internal/bench tests the command"}:                                    1,
	{"docs/benchmarks.md", "builds and measures with a library that isn't there"}:                                1,
	{"docs/format/latents.md", "tests/python/test_latents.py runs it"}:                                           6,
	{"docs/format/latents.md", "needs PyTorch; tests/python/test_latents.py runs it where that is"}:              1,
	{"docs/format/run.md", "needs the package crc32c or google-crc32c"}:                                          1,
	{"docs/how-to/other-optimisers.md", "tests/python/test_evaluate.py runs it"}:                                 1,
	{"docs/how-to/gpu.md", "needs a GPU"}:                                                                        3,
	{"docs/how-to/gpu.md", "installs a gigabyte of libraries; make gpu-wheels resolves it"}:                      2,
	{"docs/results.md", "a search of half an hour and more"}:                                                     1,
	{"docs/results.md", "searches of minutes and of half an hour"}:                                               17,
	{"docs/how-to/pytorch.md", "needs PyTorch; tests/python/test_torch.py and notebook 02 run it where that is"}: 1,
	{"docs/how-to/own-encoder.md", "needs PyTorch; tests/python/test_foreign.py runs it where that is"}:          5,
}

func TestWhatIsNotRunIsListed(t *testing.T) {
	found := map[[2]string]int{}
	for _, b := range blocks(t, "..") {
		if b.norun != "" {
			found[[2]string{b.page, b.norun}]++
		}
	}
	if !maps.Equal(found, norun) {
		t.Errorf("blocks that are not run: %v, listed are %v", found, norun)
	}
}

// TestCommandsInSentencesExist holds `moncae …` within a sentence against the
// command line: the command is there, and so is every flag.
func TestCommandsInSentencesExist(t *testing.T) {
	checked := 0
	for _, page := range append(pages(t, ".."), notebooks(t, "..")...) {
		prose(t, filepath.Join("..", page), func(n int, line string) {
			for _, code := range span.FindAllString(line, -1) {
				words := strings.Fields(strings.Trim(code, "`"))
				if len(words) < 2 || words[0] != "moncae" {
					continue
				}
				checked++
				if err := understood(words[1:]); err != nil {
					t.Errorf("%s:%d: %s: %v", page, n, code, err)
				}
			}
		})
	}
	if checked < 25 {
		t.Errorf("only %d commands were found", checked)
	}
}

var longFlag = regexp.MustCompile(`^--([a-z0-9-]+)`)

func understood(words []string) error {
	root := cli.Command()
	root.SetOut(io.Discard)
	command, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	for _, w := range rest {
		if m := longFlag.FindStringSubmatch(w); m != nil && m[1] != "help" && command.Flags().Lookup(m[1]) == nil && command.InheritedFlags().Lookup(m[1]) == nil {
			return fmt.Errorf("%s has no %s", command.CommandPath(), w)
		}
	}
	return nil
}

// TestEveryCommandShowsAnExample: in --help, and of words that it understands.
func TestEveryCommandShowsAnExample(t *testing.T) {
	examples := 0
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" { // cobra's own
			return
		}
		if c.Example == "" {
			t.Errorf("%s --help has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			words := strings.Fields(line)
			if len(words) > 1 && words[0] == "moncae" {
				examples++
				if err := understood(words[1:]); err != nil {
					t.Errorf("%s --help: %s: %v", c.CommandPath(), strings.TrimSpace(line), err)
				}
			}
		}
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(cli.Command())
	if examples < 20 {
		t.Errorf("only %d examples", examples)
	}
}
