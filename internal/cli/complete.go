package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/dataset"
	"moncae/internal/run"
	"moncae/internal/view"
	"moncae/search/algorithm"
)

// complete lets the shell complete the words that a flag can be. Where a path
// can stand as well, files follow.
func complete(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		dynamic := map[string]cobra.CompletionFunc{"candidate": completeCandidate, "objectives": completeObjectives}[f.Name]
		if dynamic != nil {
			if err := cmd.RegisterFlagCompletionFunc(f.Name, dynamic); err != nil {
				panic(err) // registered twice
			}
			return
		}
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

// completeCandidate knows the candidates of the run that the command line names.
func completeCandidate(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	words := []cobra.Completion{run.SelectFront, run.SelectBestLoss, run.SelectKnee, run.SelectPopulation}
	if len(args) == 0 {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	r, err := run.Open(args[0])
	if err != nil {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	for _, c := range r.Candidates {
		if c.Search != nil {
			words = append(words, cobra.CompletionWithDesc(c.ID, fmt.Sprintf("%s, BCE %.4f", view.Values(c.Latent.Values()), c.Best().Figures.BCE)))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeObjectives goes on behind the last comma.
func completeObjectives(_ *cobra.Command, _ []string, typed string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	before := typed[:strings.LastIndex(typed, ",")+1]
	given := strings.Split(before, ",")
	for _, name := range run.Objectives {
		if !slices.Contains(given, name) {
			words = append(words, before+name)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
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
