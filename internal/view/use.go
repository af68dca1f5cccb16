package view

import (
	"fmt"
	"strconv"

	"moncae/internal/report"
	"moncae/internal/run"
	"moncae/internal/score"
)

// UsedOf is what classify measured on a run's latents, as its page shows it.
func UsedOf(r *run.Run, tables []score.Table) (used Used) {
	for _, t := range tables {
		used.Tables = append(used.Tables, useTable(t, r))
		used.Heads = append(used.Heads, headsOf(t, r)...)
	}
	return used
}

// headsOf are a table's accuracies, a member each.
func headsOf(t score.Table, r *run.Run) (heads []report.Head) {
	for _, m := range t.Members {
		h := report.Head{ID: m.ID, Head: string(t.Head), Accuracy: m.Accuracy, Interval: m.Interval95, Stale: stale(m, r)}
		if m.PCA != nil {
			h.PCA = &m.PCA.Accuracy
		}
		heads = append(heads, h)
	}
	return heads
}

// stale tells whether a member has other weights now than when it was measured.
func stale(m score.Member, r *run.Run) bool {
	c, err := r.Candidate(m.ID)
	return err != nil || c.Search == nil || c.Best().Figures.BCE != m.ValidationBCE
}

func useTable(of score.Table, r *run.Run) report.Table {
	t := report.Table{
		Title: fmt.Sprintf("Use that survived: %s head, %s", of.Head, of.Candidates),
		Head:  []string{"id", "latent", "bytes", "BCE", "accuracy", "95 % interval", "cross-entropy", "accuracy per byte", "PCA's accuracy"},
		Notes: []string{fmt.Sprintf("The %s head is trained on %d latents; all figures on %d test images of %s; an image is %d bytes raw.", of.Head, of.TrainRows, of.Rows, of.Data, of.BytesRaw)},
	}
	if of.TestOpenings != nil {
		t.Notes = append(t.Notes, "The run's test data had been opened "+run.TimesInWords(*of.TestOpenings)+" by then.")
	}
	old := 0
	for _, m := range of.Members {
		t.Rows = append(t.Rows, []string{m.ID, m.Latent.String(), strconv.Itoa(m.Bytes), Fixed(m.BCE, 4), Fixed(m.Accuracy, 4),
			fmt.Sprintf("%.4f–%.4f", m.Interval95[0], m.Interval95[1]), Fixed(m.CrossEntropy, 4), Fixed(m.AccuracyPerByte, 5), PCAAccuracy(m)})
		if stale(m, r) {
			old++
		}
	}
	if old > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d of these candidates have other weights now, or are another run's: `moncae classify` measures anew.", old))
	}
	t.Notes = append(t.Notes, of.Notes...)
	if p := of.Paper; p != nil && p.Here != nil {
		t.Rows = append(t.Rows, paperRow(fmt.Sprintf("mean of %d with LOC < %g", p.Members, p.Threshold), *p.Here),
			paperRow("the paper's Table 1 (10 runs)", p.Paper))
	}
	return t
}

func paperRow(name string, f score.Figures) []string {
	return []string{name, fmt.Sprintf("LOC %.3f", f.LOC), "", Fixed(f.BCE, 4), Fixed(f.Accuracy, 4), "", Fixed(f.CrossEntropy, 4), "", ""}
}

// PCAAccuracy is the accuracy on PCA's codes beside a member's.
func PCAAccuracy(m score.Member) string {
	if m.PCA == nil {
		return "–"
	}
	return Fixed(m.PCA.Accuracy, 4)
}
