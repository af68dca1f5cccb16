// Package fault sorts errors into kinds by what the person at the terminal can do about
// them; the command line turns the kind into its exit code.
//
// An error without a kind is a failure of moncae or of the machine (exit 1).
package fault

import (
	"errors"
	"fmt"
)

// Kind is what can be done about an error; its value is the exit code.
type Kind int

// The kinds.
const (
	Failed  Kind = 1 // anything else
	Usage   Kind = 2 // bad flags, bad configuration, bad input data
	Damaged Kind = 3 // a file of moncae's own kinds (run, ONNX, latents) is damaged or foreign
	Missing Kind = 4 // a needed library or device is not there
)

type fault struct {
	error
	kind Kind
}

func (f fault) Unwrap() error { return f.error }

// Usagef makes an error of the kind Usage; %w wraps as in fmt.Errorf.
func Usagef(format string, args ...any) error { return fault{fmt.Errorf(format, args...), Usage} }

// Damagedf makes an error of the kind Damaged.
func Damagedf(format string, args ...any) error { return fault{fmt.Errorf(format, args...), Damaged} }

// Missingf makes an error of the kind Missing.
func Missingf(format string, args ...any) error { return fault{fmt.Errorf(format, args...), Missing} }

// Of is the kind of the outermost such error in err's chain, Failed if there
// is none.
func Of(err error) Kind {
	var f fault
	if errors.As(err, &f) {
		return f.kind
	}
	return Failed
}

// As is err with a kind.
func As(kind Kind, err error) error { return fault{err, kind} }
