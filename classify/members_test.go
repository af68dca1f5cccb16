package classify

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/onnx"
	"moncae/internal/run"
)

// trained is the bench's encoder as a run's candidate.
func (b bench) trained(id string, bce float64) run.Trained {
	c := &run.Candidate{ID: id, Search: &run.Result{Figures: run.Figures{BCE: bce}}}
	return run.Trained{Candidate: c, Arch: b.arch, Weights: b.weights}
}

func TestRunMembers(t *testing.T) {
	b := newBench(t)
	opened := 4
	o := comparison{
		MemberOptions: MemberOptions{
			Candidates: []string{"front"}, Data: dataset.Default, Images: digits, Out: filepath.Join(b.dir, "members"),
			Engine: b.options("").Engine, Runtime: b.options("").Runtime, Seed: 3,
		},
		id: "r1", members: []run.Trained{b.trained("g0-1", 0.5), b.trained("g1-0", 0)},
		openTest: func() (*int, error) { opened++; return &opened, nil },
	}
	table, err := o.run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Members) != 2 || *table.TestOpenings != 5 || table.Paper != nil || table.BytesRaw != 784 {
		t.Fatalf("table %+v", table)
	}
	m := table.Members[0]
	if m.ID != "g0-1" || m.Bytes != 588 || m.ValidationBCE != 0.5 || m.Accuracy < 0.7 {
		t.Errorf("member %+v", m)
	}
	near(t, "accuracy a byte", m.AccuracyPerByte, m.Accuracy/588, 1e-15)
	// An untrained decoder's logits are near 0: its loss is near ln 2.
	near(t, "BCE", m.BCE, 0.69, 0.15)
	near(t, "the same encoder's accuracy", table.Members[1].Accuracy, m.Accuracy, 0)
	pipeline, err := onnx.ReadFile(filepath.Join(o.Out, "g0-1", PipelineFile))
	if err != nil {
		t.Fatal(err)
	}
	if pipeline.Metadata()[metakey.Head] != "linear" {
		t.Errorf("metadata %v", pipeline.Metadata())
	}
	if _, err := os.Stat(filepath.Join(o.Out, ReadmeFile)); err != nil {
		t.Error(err)
	}
	// The same figures come from latents in a file.
	single := b.options("one")
	single.Data, single.Images, single.Baselines = dataset.Default, digits, true
	r, err := Run(context.Background(), single, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy by file", r.Accuracy, m.Accuracy, 0)
	near(t, "PCA's accuracy by file", r.Baselines.PCA.Accuracy, m.PCA.Accuracy, 0)
	near(t, "the gain over PCA", m.PCA.Latents.Gain, m.Accuracy-m.PCA.Accuracy, 1e-12)
	o.fingerprint = "00"
	if _, err := o.run(context.Background(), nil); fault.Of(err) != fault.Usage {
		t.Errorf("another data set: %v", err)
	}
}

// Members of fewer values get the leading codes of each image.
func TestFirstCodes(t *testing.T) {
	c := codes{k: 3}
	if got := c.first([]float32{1, 2, 3, 4, 5, 6}, 2); !slices.Equal(got, []float32{1, 2, 4, 5}) {
		t.Errorf("%v", got)
	}
}

// Images without classes are refused before the test data is opened.
func TestRunMembersRefusesUnlabelled(t *testing.T) {
	b := newBench(t)
	folder := t.TempDir()
	for i := range 40 {
		picture := image.NewGray(image.Rect(0, 0, 28, 28))
		picture.Pix[i] = 255
		var file bytes.Buffer
		if err := png.Encode(&file, picture); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".png")), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opened := 0
	_, err := comparison{
		MemberOptions: MemberOptions{Data: folder, Out: filepath.Join(b.dir, "refused"), Engine: b.options("").Engine, Runtime: b.options("").Runtime},
		members:       []run.Trained{b.trained("g0-0", 0)},
		openTest:      func() (*int, error) { opened++; return &opened, nil },
	}.run(context.Background(), nil)
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "no labels") || opened > 0 {
		t.Errorf("%v; the test data was opened %d times", err, opened)
	}
}
