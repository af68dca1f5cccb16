package classify

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

// checkOut refuses, before any work is done, a folder that must not be replaced
// at the end: one that holds anything but what this package wrote there.
func checkOut(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fault.Usagef("--out: %w", err)
	}
	ours := writtenTo(dir)
	for _, e := range entries {
		if !ours[e.Name()] {
			return fault.Usagef("--out %s holds other files (%s) and is not replaced: name another folder, or empty it", dir, e.Name())
		}
	}
	return nil
}

// writtenTo are the names that this package's report in a folder stands for.
func writtenTo(dir string) map[string]bool {
	var r struct {
		Format  string
		Members []struct{ ID string }
	}
	content, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil || json.Unmarshal(content, &r) != nil || r.Format != ReportFormat && r.Format != TableFormat {
		return nil
	}
	names := map[string]bool{HeadFile: true, PipelineFile: true, ReportFile: true, ReadmeFile: true}
	for _, m := range r.Members {
		names[m.ID] = true
	}
	return names
}

// files are an output folder's contents by path within it, with slashes.
type files map[string][]byte

func writeOut(dir string, m models, r *Report) error {
	f := files{HeadFile: m.head.Bytes()}
	if m.pipeline != nil {
		f[PipelineFile] = m.pipeline.Bytes()
	}
	return f.write(dir, r, "run", r)
}

// write adds the report and the README made of it, and makes the folder, whole
// or not at all: it is written beside its place and renamed.
func (f files) write(dir string, report any, template string, v any) error {
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	f[ReportFile] = append(b, '\n')
	var text bytes.Buffer
	if err := readme.ExecuteTemplate(&text, template, v); err != nil {
		return err
	}
	f[ReadmeFile] = text.Bytes()
	if err := f.replace(filepath.Clean(dir)); err != nil {
		return fmt.Errorf("--out %s: %w", dir, err)
	}
	return nil
}

func (f files) replace(dir string) error {
	var disk durable.FS
	if err := disk.Mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	return disk.ReplaceFolder(dir, func(whole string) error {
		for name, content := range f {
			path := filepath.Join(whole, filepath.FromSlash(name))
			if err := disk.Mkdir(filepath.Dir(path)); err != nil {
				return err
			}
			if err := disk.ReplaceBytes(path, content); err != nil {
				return err
			}
		}
		return nil
	})
}

//go:embed readme.md.tmpl
var readmeText string

var readme = template.Must(template.New("").Funcs(template.FuncMap{
	"percent": func(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) },
	"points":  func(v float64) string { return fmt.Sprintf("%+.2f", 100*v) },
	"times":   Times,
	"nats":    func(v float64) string { return fmt.Sprintf("%.4f", v) },
}).Parse(readmeText))
