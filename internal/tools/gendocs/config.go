package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/run"
	"moncae/search"
)

const configHead = `# Keys of a configuration file

` + "`--config FILE`" + ` takes a YAML file with one key for each flag, without the dashes. What the command line says wins; a key that
the command has no flag for is an error that names the line. A list can be written as one.

` + "```yaml" + `
preset: standard
seed: 29
objectives: [loss, loc]
reference: [0.26, 2.9]
` + "```" + `

This page is made from the commands by ` + "`make docs`" + `.

## Presets

What a preset of ` + "`moncae search`" + ` stands for. Each value has a flag of its own, which replaces it.
Where an epoch of all training images has fewer than 280 steps of 16 images (140 of more), ` + "`quick`" + ` and ` + "`standard`" + ` multiply their epochs until it would have as many; they have
as many layers more as bring the longer side down to one pixel: 5 in all for 28 pixels, 6 for 64.

`

// configPage lists the presets and every command's keys.
func configPage(root *cobra.Command) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(configHead)
	if err := presets(&b); err != nil {
		return nil, err
	}
	for _, c := range leaves(root) {
		keys(&b, c)
	}
	return b.Bytes(), nil
}

// preset is one row of the presets' table.
type preset struct {
	key   string
	value func(run.Config) string
}

var rows = []preset{
	{"algorithm", func(c run.Config) string { return c.Algorithm }},
	{"window", func(c run.Config) string { return orWord(int64(c.Window), "none") }},
	number("population", func(c run.Config) int { return c.Population }),
	number("generations", func(c run.Config) int { return c.Generations }),
	{"spread", func(c run.Config) string { return orWord(int64(c.Spread), "off") }},
	{"inherit", func(c run.Config) string { return fmt.Sprint(c.Inherit) }},
	number("epochs", func(c run.Config) int { return c.Epochs }),
	number("patience", func(c run.Config) int { return c.Patience }),
	number("batch", func(c run.Config) int { return c.Batch }),
	{"space", func(c run.Config) string { return c.Space.Name }},
	number("max-layers", func(c run.Config) int { return c.Space.MaxBlocks }),
	number("max-filters", func(c run.Config) int { return c.Space.MaxFilters }),
	{"max-flops", func(c run.Config) string { return orWord(c.MaxFLOPs, "no limit") }},
	{"train-limit", func(c run.Config) string { return orWord(int64(c.TrainLimit), "all") }},
	number("finetune", func(c run.Config) int { return c.Finetune.Epochs }),
	{"finetune-trial", func(c run.Config) string { return orWord(int64(c.Finetune.Trial), "none") }},
	{"finetune-scope", func(c run.Config) string { return c.Finetune.Scope }},
	{"reference", func(c run.Config) string {
		if c.Reference == nil {
			return "from the data"
		}
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Reference), "[]"), " ", ",")
	}},
}

func number(key string, value func(run.Config) int) preset {
	return preset{key, func(c run.Config) string { return fmt.Sprint(value(c)) }}
}

// orWord says what 0 stands for.
func orWord(n int64, zero string) string {
	if n == 0 {
		return zero
	}
	return fmt.Sprint(n)
}

func presets(b *bytes.Buffer) error {
	fmt.Fprintf(b, "| key | %s |\n|%s\n", strings.Join(search.Presets, " | "), strings.Repeat(" --- |", len(search.Presets)+1))
	for _, r := range rows {
		fmt.Fprintf(b, "| `%s` |", r.key)
		for _, name := range search.Presets {
			c, err := search.Preset(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(b, " %s |", r.value(c))
		}
		b.WriteByte('\n')
	}
	return nil
}

// keys lists one command's keys.
func keys(b *bytes.Buffer, c *cobra.Command) {
	var lines []string
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		standard := f.DefValue
		if standard == "[]" {
			standard = ""
		}
		escape := strings.NewReplacer("|", `\|`)
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s | %s |", f.Name, escape.Replace(cmp.Or(kind, "true, false")), escape.Replace(standard), escape.Replace(usage)))
	})
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| key | value | default | |\n| --- | --- | --- | --- |\n%s\n", c.CommandPath(), strings.Join(lines, "\n"))
}
