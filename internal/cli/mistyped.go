package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/fault"
	"moncae/internal/suggest"
)

// mistypedFlag says of a flag that can't be read what would be one.
func mistypedFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if unknown.GetSpecifiedShortnames() != "" {
			return fault.Usagef("unknown flag: -%s", unknown.GetSpecifiedName())
		}
		return fault.Usagef("unknown flag: --%s%s", unknown.GetSpecifiedName(), suggest.Meant("--"+unknown.GetSpecifiedName(), flagNames(cmd)))
	}
	var bare *pflag.ValueRequiredError
	if errors.As(err, &bare) {
		return fault.Usagef("--%s is given no value; wanted is --%s %s", bare.GetFlag().Name, bare.GetFlag().Name, valueName(bare.GetFlag()))
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return fault.Usagef("--%s: %w", invalid.GetFlag().Name, valueError(invalid.GetFlag(), invalid.GetValue(), errors.Unwrap(invalid)))
	}
	return err
}

func valueName(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	return name
}

// wanted is what the values of flags without a reader of ours look like.
var wanted = map[string]string{
	"int": "a whole number, 0 or more", "int64": "a whole number, 0 or more", "uint64": "a whole number, 0 or more", "float64": "a number, 0 or more",
	"duration": "a time, as 30s or 5m", "bool": "true or false",
}

// valueError replaces what the standard library says of a value.
func valueError(f *pflag.Flag, value string, err error) error {
	if what, ok := wanted[f.Value.Type()]; ok {
		if slices.Contains(signed, f.Name) {
			what = "a number"
		}
		return fault.Usagef("%q is not what is wanted: %s", value, what)
	}
	return err
}

func flagNames(cmd *cobra.Command) (names []string) {
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		})
	}
	return names
}

// mistypedCommand adds to an error of an unknown command the one that was meant, and
// says of too few or too many words how many are wanted.
func mistypedCommand(root *cobra.Command, args []string, err error) error {
	if text := err.Error(); strings.HasPrefix(text, "accepts ") || strings.HasPrefix(text, "requires ") {
		if cmd, _, found := root.Find(args); found == nil {
			return fault.Usagef("%d words behind the command; wanted is `%s`", cmd.Flags().NArg(), cmd.UseLine())
		}
	}
	if !strings.HasPrefix(err.Error(), "unknown command ") {
		return err
	}
	cmd, rest, found := root.Find(args)
	if found != nil || len(rest) == 0 {
		cmd, rest = root, args
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	for _, word := range rest {
		if !strings.HasPrefix(word, "-") {
			return fault.Usagef("%w%s", err, suggest.Meant(word, names))
		}
	}
	return err
}
