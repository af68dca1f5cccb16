// Package report writes a run as one HTML page that needs nothing else: its
// pictures are in it, it runs no script, and it loads nothing.
//
// It only lays out: every number comes from its caller. The same content gives
// the same bytes.
package report

import (
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
)

//go:embed page.html.tmpl
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html.tmpl"))

// Page is what the report shows.
type Page struct {
	Title    string
	Subtitle string
	Refresh  int // seconds after which the page asks for itself again; 0: never
	Facts    [][2]string
	Front    []byte // SVG
	Gallery  []byte // PNG
	Tables   []Table
	Failures [][2]string // candidate, cause
}

// Table is a table with a heading and what to know to read it. The first column
// is flush left.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
	Notes []string
}

// prolog is what stands before an SVG's element; a page has no place for it.
var prolog = regexp.MustCompile(`(?s)^.*?(<svg)`)

// FrontSVG is the front's picture as an element of the page.
func (p Page) FrontSVG() template.HTML {
	return template.HTML(prolog.ReplaceAll(p.Front, []byte("$1")))
}

// GalleryURL is the gallery as an address that holds it.
func (p Page) GalleryURL() template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.Gallery))
}

// Write writes the page.
func (p Page) Write(w io.Writer) error { return page.Execute(w, p) }
