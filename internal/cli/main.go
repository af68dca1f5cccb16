// Package cli is moncae's command line: one file a command, flags and printing
// here, the work in the packages below.
//
// Results go to stdout, progress and messages to stderr. Every command that
// prints a result has --json, which prints exactly one JSON document. An error
// is one line on stderr; exit codes are those of package fault, and 130 after
// an interrupt.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/version"
)

// Streams are what a command reads, writes and knows of its terminal.
type Streams struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Terminal bool // Err is a terminal: progress may redraw
	Width    int  // of that terminal, in columns
	Columns  int  // that a table on Out may take; 0: any number, Out is no terminal
	FS       durable.FS
}

// System gives the process's own streams.
func System() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Width: 100}
	if fd := int(os.Stderr.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" {
		s.Terminal = true
		if w, _, err := term.GetSize(fd); err == nil && w > 0 {
			s.Width = w
		}
	}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		if w, _, err := term.GetSize(fd); err == nil {
			s.Columns = w
		}
	}
	return s
}

const interrupted = 130

// Main runs the command line and gives the exit code. The first interrupt or
// SIGTERM cancels the work, which saves its state; a second one ends the
// process at once. A terminal that closes, and a reader that goes away, cancel too.
func Main(args []string, s Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	ctx, forget := whenLeft(ctx)
	defer forget()
	out := &visible{to: s.Out}
	s.Out, s.Err = out, &visible{to: s.Err, redraws: s.Terminal}

	app := &app{Streams: s}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err, app.started = out.failed, true // help is written by cobra, which drops errors
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE): // nobody is there to be told
		return interrupted
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		message := "interrupted"
		if hint := (goOn{}); errors.As(err, &hint) {
			message += ": " + hint.how
		}
		fmt.Fprintf(s.Err, "moncae: %s\n", message)
		return interrupted
	case !app.started: // cobra refused the words before a command began
		err = fault.Usagef("%w (see `%s --help`)", mistypedCommand(root, args, err), app.called(root, args))
	}
	fmt.Fprintf(s.Err, "moncae: %s\n", fault.Text(err))
	return int(fault.Of(err))
}

// goOn is an interruption after which work can go on, and how.
type goOn struct {
	error
	how string
}

func (g goOn) Unwrap() error { return g.error }

// app is what the commands share.
type app struct {
	Streams
	config    string
	started   bool
	overwrite bool // --overwrite of the command
}

func (a *app) called(root *cobra.Command, args []string) string {
	if cmd, _, err := root.Find(args); err == nil {
		return cmd.CommandPath()
	}
	return root.Name()
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "moncae",
		Short: "Find small convolutional autoencoders for your images, and compress with them",
		Long: `moncae searches small convolutional autoencoders for an image data set (as MONCAE
does: reconstruction loss against level of compression, hypervolume contribution as
fitness), hands the survivors over as ONNX, compresses data sets with them into Arrow
files, and measures how much of the data's use survived.

Exit codes: 0 done, 1 failed, 2 bad usage or bad input data, 3 a damaged file of
moncae's own kinds, 4 a needed library or device is missing, 130 interrupted (state saved).`,
		Example:       "  moncae search --run digits          # the built-in digits, a few minutes\n  moncae front digits                 # the autoencoders that it found",
		Version:       version.Number(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.started = true
			return a.applyConfig(cmd)
		},
	}
	root.DisableSuggestions = true // mistypedCommand has one line
	root.SetFlagErrorFunc(mistypedFlag)
	root.SetVersionTemplate(versionLine())
	root.InitDefaultVersionFlag()
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.PersistentFlags().StringVar(&a.config, "config", "", "YAML `file` with flags of the command, one key a flag; the command line wins")
	root.AddCommand(a.commands()...)
	holdNumbers(root)
	complete(root)
	return root
}

// commands are moncae's commands, in the order of a user's way through them.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.newSearch(), a.newFront(), a.newChoose(), a.newFinetune(), a.newExport(), a.newCompress(), a.newDecompress(), a.newClassify(),
		a.newReport(), a.newServe(), a.newCompare(), a.newData(), a.newBench(), a.newDoctor(), a.newSelftest(), a.newWorker(), a.newVersion(),
	}
}

// Command is the command line as a tree of commands, for the generator of
// docs/reference. Main runs it.
func Command() *cobra.Command {
	root := (&app{Streams: System()}).root()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true
	return root
}
