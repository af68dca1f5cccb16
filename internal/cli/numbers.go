package cli

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// signed are the flags whose numbers may be negative.
var signed = []string{"min-psnr", "min-ssim"}

// number is the value of a flag for a finite number, which is 0 or more.
type number struct {
	pflag.Value
	signed bool
}

func (n number) Set(s string) error {
	if v, err := strconv.ParseFloat(s, 64); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return errors.New("it is no finite number")
	}
	if strings.HasPrefix(s, "-") && !n.signed {
		return errors.New("it is negative")
	}
	return n.Value.Set(s)
}

// holdNumbers has all flags for numbers of a command, and of those below it, refuse what
// is none.
func holdNumbers(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		holdNumbers(c)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if wanted[f.Value.Type()] != "" && f.Value.Type() != "bool" {
			f.Value = number{f.Value, slices.Contains(signed, f.Name)}
		}
	})
}
