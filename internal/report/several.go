package report

import (
	"html/template"
	"io"

	"moncae/internal/compare"
)

// Comparison is a page of several runs beside each other.
type Comparison struct {
	Title, Subtitle string
	Tables          []Table
	Loss            string // what trainings minimised: graph.Loss
	Runs            []Compared
	Attained        Attained
}

// Attained is what half of the runs of each group attain; without groups where the
// runs can't be compared.
type Attained struct {
	First  string          `json:"first"`  // objective
	Second string          `json:"second"` // objective, the horizontal axis
	Groups []AttainedGroup `json:"groups"`
}

// AttainedGroup has corners [first, second] by rising second; the first stays from
// one to the next.
type AttainedGroup struct {
	Name   string       `json:"name"`
	Runs   int          `json:"runs"`
	Points [][2]float64 `json:"points"`
}

// Compared is a run of a comparison.
type Compared struct {
	Name    string                        `json:"name"`
	Floor   float64                       `json:"floor"`
	Members []ComparedMember              `json:"members"`
	Curves  compare.ByAxis[compare.Curve] `json:"curves"` // of hypervolume, before finetuning
}

// ComparedMember is a member of a run's front.
type ComparedMember struct {
	ID     string `json:"id"`
	Values int    `json:"values"`
	Figures
}

// Write writes the page.
func (c Comparison) Write(w io.Writer) error {
	data := struct {
		Loss     string     `json:"loss"`
		Runs     []Compared `json:"runs"`
		Attained Attained   `json:"attained"`
	}{c.Loss, c.Runs, c.Attained}
	return write(w, "compare.html.tmpl", data, func(f frame) any {
		return struct {
			Comparison
			frame
		}{c, f}
	})
}

// List is a page that lists runs.
type List struct {
	Title string
	Runs  []Listed
}

// Listed is a run of a list.
type Listed struct {
	Name, Address, Data, Status, Changed string
	Seed                                 uint64
	Trainings, Members                   int
	Hypervolume                          float64
}

// Write writes the page; it has no scripts.
func (l List) Write(w io.Writer) error {
	return pages.ExecuteTemplate(w, "list.html.tmpl", struct {
		List
		CSS template.CSS
	}{l, template.CSS(css)})
}
