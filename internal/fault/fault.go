// Package fault sorts errors by what the person at the terminal can do about
// them; the command line turns the sort into its exit code.
//
// An error without a sort is a failure of moncae or of the machine (exit 1).
package fault

import (
	"errors"
	"fmt"
)

// Sort is the kind of an error; its value is the exit code.
type Sort int

// The sorts.
const (
	Failed  Sort = 1 // anything else
	Usage   Sort = 2 // bad flags, bad configuration, bad input data
	Damaged Sort = 3 // a file of moncae's own kinds (run, ONNX, latents) is damaged or foreign
	Missing Sort = 4 // a needed library or device is not there
)

type sorted struct {
	error
	sort Sort
}

func (s sorted) Unwrap() error { return s.error }

// Usagef makes an error of the sort Usage; %w wraps as in fmt.Errorf.
func Usagef(format string, args ...any) error { return sorted{fmt.Errorf(format, args...), Usage} }

// Damagedf makes an error of the sort Damaged.
func Damagedf(format string, args ...any) error { return sorted{fmt.Errorf(format, args...), Damaged} }

// Missingf makes an error of the sort Missing.
func Missingf(format string, args ...any) error { return sorted{fmt.Errorf(format, args...), Missing} }

// Of is the sort of the outermost sorted error in err's chain, Failed if there
// is none.
func Of(err error) Sort {
	var s sorted
	if errors.As(err, &s) {
		return s.sort
	}
	return Failed
}
