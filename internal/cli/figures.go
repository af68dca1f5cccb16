package cli

import (
	"bytes"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"moncae/internal/figure"
	"moncae/internal/run"
	"moncae/internal/view"
)

// picture is what figure's drawings have in common.
type picture interface {
	Draw(w io.Writer, format string) error
}

// draw writes a picture in the format that its file's name asks for.
func (a *app) draw(path string, p picture) error {
	format, err := figure.Format(path)
	if err != nil {
		return err
	}
	return a.drawAs(path, format, p)
}

func (a *app) drawAs(path, format string, p picture) error {
	var b bytes.Buffer
	if err := p.Draw(&b, format); err != nil {
		return err
	}
	return a.output(path, b.Bytes())
}

// look takes validation images through the members of a run's front.
func (a *app) look(cmd *cobra.Command, r *run.Run, f run.Front, o *frontOptions) (p view.Pictures, err error) {
	set, err := r.Images(cmd.Context(), o.data.name, o.data.options)
	if err != nil {
		return p, err
	}
	eng, err := a.openEngine(o.device)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	return view.Look(eng, r, f, set, o.images)
}
