package score

import (
	"encoding/json"
	"path/filepath"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/regular"
	"moncae/internal/rundir"
)

// Table is what `classify RUN --json` prints.
type Table struct {
	Format       string      `json:"format"`
	Version      int         `json:"version"`
	Run          string      `json:"run"`
	Candidates   string      `json:"candidates"`
	Data         string      `json:"data"`
	Head         head.Kind   `json:"head"`
	TrainRows    int         `json:"train_rows"`
	Rows         int         `json:"rows"`      // of the test split
	BytesRaw     int         `json:"bytes_raw"` // an image's pixels
	Members      []Member    `json:"members"`
	Paper        *Paper      `json:"paper"` // null where the paper has no row for the data
	Provider     string      `json:"provider"`
	TestOpenings *int        `json:"test_openings"`
	Engine       engine.Info `json:"engine"`
	Seed         uint64      `json:"seed"`
	Seconds      float64     `json:"seconds"`
	Notes        []string    `json:"notes,omitempty"` // what keeps the figures from meaning what they seem to
}

// TableFormat is a Table's format; its version is TableVersion.
const (
	TableFormat  = "moncae.classify.run"
	TableVersion = 1
)

// Member is one member's line. All but ValidationBCE is of the test split.
type Member struct {
	ID              string     `json:"id"`
	Latent          arch.Shape `json:"latent"`
	Values          int        `json:"values"`
	LOC             float64    `json:"loc"`
	Bytes           int        `json:"bytes"` // an image's latent as float32
	BCE             float64    `json:"bce"`   // nats, mean over all pixels
	ValidationBCE   float64    `json:"validation_bce"`
	AccuracyPerByte float64    `json:"accuracy_per_byte"`
	Fit             head.Fit   `json:"fit"`
	Score
	// PCA is the same head on as many principal components; null where the images
	// don't have so many.
	PCA *Baseline `json:"pca"`
}

// Baseline is a head on other features of the same images.
type Baseline struct {
	Features string `json:"features"` // what they are, in words
	Values   int    `json:"values"`
	Score
	// Latents compares the latents' head with this one on the same test rows.
	Latents *Paired `json:"latents"`
}

// ReadTable reads the table in a file that classify wrote of a run.
func ReadTable(path string) (Table, error) {
	content, err := regular.ReadFile(path)
	if err != nil {
		return Table{}, fault.Usagef("%w", err)
	}
	return parseTable(path, content)
}

func parseTable(path string, content []byte) (t Table, err error) {
	if err := json.Unmarshal(content, &t); err != nil || t.Format != TableFormat {
		return t, fault.Damagedf("%s: is not what `moncae classify RUN` writes (format %q)", path, t.Format)
	}
	if t.Version > TableVersion {
		return t, fault.Damagedf("%s: its version is %d, this moncae reads %d: take a newer moncae", path, t.Version, TableVersion)
	}
	return t, nil
}

// Kept are the tables in the run in the folder path, of each head and choice of
// candidates the last.
func Kept(path string) (last []Table, err error) {
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
		t, err := parseTable(filepath.Join(path, rundir.ClassifyDir), content)
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
