// Package report writes a run as one HTML page that needs nothing else: plots
// that can be clicked, tables, pictures. It loads nothing, and its policy lets no
// script run but its own. Without scripts it still shows front, tables and
// reconstructions.
//
// It only lays out: every number comes from its caller. The same content gives
// the same bytes. A page is 1.2 MB (the plotting library) and its pictures.
package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"strings"
)

// EChartsVersion is that of the plotting library in echarts/.
const EChartsVersion = "6.1.0"

//go:embed page echarts/echarts.min.js
var files embed.FS

var (
	pages   = template.Must(template.ParseFS(files, "page/*.html.tmpl"))
	css     = read("page/page.css")
	library = read("echarts/echarts.min.js")
	script  = "\"use strict\";\n" + read("page/util.js", "page/measures.js", "page/plots.js", "page/table.js", "page/panel.js", "page/live.js", "page/compare.js", "page/main.js")
)

func read(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded: it is there
		}
		b.Write(content)
	}
	return b.String()
}

// Policy is the page's Content-Security-Policy: its own styles and scripts by
// their hashes, pictures from within, and requests to where it came from alone.
var Policy = "default-src 'none'; img-src data:; style-src " + hash(css) + "; script-src " + hash(library) + " " + hash(script) +
	"; connect-src 'self'; base-uri 'none'; form-action 'self'"

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Page is what the report shows.
type Page struct {
	Title    string
	Subtitle string
	Events   string // address of the run's server-sent events; "": the page stays as it is
	DataURL  string // address of the run's Data, where Events says that there are new ones
	Facts    [][2]string
	Front    []byte // SVG, for readers without scripts
	Gallery  []byte // PNG
	Members  *Table // for readers without scripts
	Tables   []Table
	Failures [][2]string // candidate, cause
	Data     Data        // what the plots are drawn from
}

// Table is a table with a heading and what to know to read it. The first column
// is flush left.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
	Notes []string
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	return write(w, "page.html.tmpl", p.Data, func(f frame) any {
		return struct {
			Page
			frame
		}{p, f}
	})
}

// frame is what every page with plots has.
type frame struct {
	Policy, EChartsVersion string
	CSS                    template.CSS
	JSON, Library, Script  template.JS
}

func write(w io.Writer, name string, data any, content func(frame) any) error {
	b, err := json.Marshal(data) // escapes <, > and &, so that no text can end the script
	if err != nil {
		return err
	}
	return pages.ExecuteTemplate(w, name, content(frame{Policy, EChartsVersion, template.CSS(css), template.JS(b), template.JS(library), template.JS(script)}))
}

// FrontURL is the front's picture as an address that holds it: a picture of its
// own may have the styles that the page's policy forbids.
func (p Page) FrontURL() template.URL { return dataURL("image/svg+xml", p.Front) }

// GalleryURL is the gallery as an address that holds it.
func (p Page) GalleryURL() template.URL { return dataURL("image/png", p.Gallery) }

func dataURL(kind string, content []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
}
