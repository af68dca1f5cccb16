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
	"moncae/internal/markdown"
	"moncae/internal/regular"
	"moncae/internal/run"
	"moncae/internal/score"
)

// checkOut refuses, before any work is done, a folder that must not be replaced
// at the end: one that holds anything but what this package wrote there, and
// that only if it may be overwritten.
func checkOut(dir string, overwrite bool) error {
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
	if err := durable.Vacant(dir, overwrite); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// claimOut checks and keeps the folder until the place is closed.
func claimOut(disk durable.FS, dir string, overwrite bool) (*durable.Place, error) {
	if err := checkOut(dir, overwrite); err != nil {
		return nil, err
	}
	place, err := claim(disk, filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("--out %s: %w", dir, err)
	}
	return place, nil
}

func claim(disk durable.FS, dir string) (*durable.Place, error) {
	if err := disk.Mkdir(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	return disk.Claim(dir)
}

// writtenTo are the names that this package's report in a folder stands for.
func writtenTo(dir string) map[string]bool {
	var r struct {
		Format  string
		Members []struct{ ID string }
	}
	content, err := regular.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil || json.Unmarshal(content, &r) != nil || r.Format != ReportFormat && r.Format != score.TableFormat {
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

func writeOut(to *durable.Place, dir string, m models, r *Report) error {
	f := files{HeadFile: m.head.Bytes()}
	if m.pipeline != nil {
		f[PipelineFile] = m.pipeline.Bytes()
	}
	return f.write(to, dir, r, "run", r)
}

// write adds the report and the README made of it, and makes the folder.
func (f files) write(to *durable.Place, dir string, report any, template string, v any) error {
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
	for name, content := range f {
		if err := to.WriteBytes(name, content); err != nil {
			return fmt.Errorf("--out %s: %w", dir, err)
		}
	}
	if err := checkOut(dir, true); err != nil { // hours may have passed
		return err
	}
	return to.Commit()
}

//go:embed readme.md.tmpl
var readmeText string

var readme = template.Must(template.New("").Funcs(template.FuncMap{
	"text":    markdown.Text,
	"percent": func(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) },
	"points":  func(v float64) string { return fmt.Sprintf("%+.2f", 100*v) },
	"times":   func(n *int) string { return run.TimesInWords(*n) },
	"nats":    func(v float64) string { return fmt.Sprintf("%.4f", v) },
}).Parse(readmeText))
