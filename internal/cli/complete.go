package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/dataset"
	"moncae/search/algorithm"
)

// complete lets the shell complete the words that a flag can be. Where a path
// can stand as well, files follow.
func complete(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		words, files := completions(f)
		if words == nil {
			return
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		if files {
			directive = cobra.ShellCompDirectiveDefault
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, directive)); err != nil {
			panic(err) // registered twice
		}
	})
	for _, child := range cmd.Commands() {
		complete(child)
	}
}

func completions(f *pflag.Flag) (words []cobra.Completion, files bool) {
	if c, ok := f.Value.(choice); ok {
		return c.allowed, false
	}
	switch f.Name {
	case "algorithm":
		return algorithm.Names, false
	case "device":
		return []cobra.Completion{"auto", "cpu", "cuda"}, false
	case "data":
		return named(nil), true
	}
	return nil, false
}

// named are the data sets that have a name, with what they are; all, or those
// of which want says so.
func named(want func(string) bool) (words []cobra.Completion) {
	for _, k := range dataset.Names() {
		if want != nil && !want(k.Name) {
			continue
		}
		words = append(words, cobra.CompletionWithDesc(k.Name, k.Title))
	}
	return words
}
