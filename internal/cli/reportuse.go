package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"moncae/classify"
	"moncae/internal/fault"
	"moncae/internal/report"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/view"
)

// usedOf is what classify measured: the tables that the run keeps, of each head
// and choice of candidates the last, or the one in a folder that it wrote.
func usedOf(path, folder string, r *run.Run) (used view.Used, err error) {
	var all []classify.Table
	if folder != "" {
		all, err = readTable(filepath.Join(folder, classify.ReportFile))
	} else {
		all, err = keptTables(path)
	}
	for _, t := range all {
		used.Tables = append(used.Tables, useTable(t, r))
		used.Heads = append(used.Heads, headsOf(t, r)...)
	}
	return used, err
}

// headsOf are a table's accuracies, a member each.
func headsOf(t classify.Table, r *run.Run) (heads []report.Head) {
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
func stale(m classify.MemberScore, r *run.Run) bool {
	c, err := r.Candidate(m.ID)
	return err != nil || c.Search == nil || c.Best().Figures.BCE != m.ValidationBCE
}

func readTable(path string) ([]classify.Table, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usagef("--classify: %w", err)
	}
	t, err := decodeTable(path, content)
	return []classify.Table{t}, err
}

func decodeTable(path string, content []byte) (t classify.Table, err error) {
	if err := json.Unmarshal(content, &t); err != nil || t.Format != classify.TableFormat {
		return t, fault.Damagedf("%s: is not what `moncae classify RUN` writes (format %q)", path, t.Format)
	}
	if t.Version > classify.ReportVersion {
		return t, fault.Damagedf("%s: its version is %d, this moncae reads %d: take a newer moncae", path, t.Version, classify.ReportVersion)
	}
	return t, nil
}

func keptTables(path string) (last []classify.Table, err error) {
	dir, err := rundir.Read(path)
	if err != nil {
		return nil, err
	}
	contents, err := dir.Tables()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, content := range contents {
		t, err := decodeTable(filepath.Join(path, rundir.ClassifyDir), content)
		if err != nil {
			return nil, err
		}
		key := string(t.Head) + " " + t.Candidates
		if i, ok := at[key]; ok {
			last[i] = t
			continue
		}
		at[key] = len(last)
		last = append(last, t)
	}
	return last, nil
}

func useTable(of classify.Table, r *run.Run) report.Table {
	t := report.Table{
		Title: fmt.Sprintf("Use that survived: %s head, %s", of.Head, of.Candidates),
		Head:  []string{"id", "latent", "bytes", "BCE", "accuracy", "95 % interval", "cross-entropy", "accuracy per byte", "PCA's accuracy"},
		Notes: []string{fmt.Sprintf("The %s head is trained on %d latents; all figures on %d test images of %s; an image is %d bytes raw.", of.Head, of.TrainRows, of.Rows, of.Data, of.BytesRaw)},
	}
	if of.TestOpenings != nil {
		t.Notes = append(t.Notes, "The run's test data had been opened "+classify.Times(of.TestOpenings)+" by then.")
	}
	old := 0
	for _, m := range of.Members {
		t.Rows = append(t.Rows, []string{m.ID, m.Latent.String(), strconv.Itoa(m.Bytes), view.Fixed(m.BCE, 4), view.Fixed(m.Accuracy, 4),
			fmt.Sprintf("%.4f–%.4f", m.Interval95[0], m.Interval95[1]), view.Fixed(m.CrossEntropy, 4), view.Fixed(m.AccuracyPerByte, 5), pcaAccuracy(m)})
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

func paperRow(name string, f classify.Figures) []string {
	return []string{name, fmt.Sprintf("LOC %.3f", f.LOC), "", view.Fixed(f.BCE, 4), view.Fixed(f.Accuracy, 4), "", view.Fixed(f.CrossEntropy, 4), "", ""}
}
