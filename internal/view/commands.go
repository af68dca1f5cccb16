package view

import (
	"path/filepath"
	"strings"

	"moncae/internal/report"
	"moncae/internal/run"
	"moncae/internal/shell"
)

// commands are the command lines that use a candidate of the run, from any folder.
func commands(r *run.Run) []report.Command {
	path := r.Path
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	const id = "{id}"
	data := r.DataName()
	// A plain word, so that the id needs no quotes where the page puts it in.
	line := func(words ...string) string { return strings.ReplaceAll(shell.Line(words...), "'"+id+"'", id) }
	export := line("moncae", "export", path, "--candidate", id, "--out", "models")
	return []report.Command{
		{Name: "Write it as ONNX into the folder models", Line: export},
		{Name: "Train it on", Line: line("moncae", "finetune", path, "--candidate", id, "--epochs", "20")},
		{Name: "Compress the data with it, once it is exported", Line: line("moncae", "compress", "--encoder", "models/{id}/encoder.onnx", "--data", data, "--out", "{id}.arrow")},
	}
}
