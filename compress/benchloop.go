package compress

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/fault"
	"moncae/internal/latent"
)

//go:embed loop.py
var loopScript []byte

// LoopReport compares a whole compression, from a folder of image files to a
// synced file, with a straightforward loop in Python that does the same.
type LoopReport struct {
	Versions   string  `json:"versions"`                   // of the libraries on Python's side
	Python     float64 `json:"python_images_per_second"`   // medians
	Compress   float64 `json:"compress_images_per_second"` //
	Ratio      float64 `json:"ratio"`                      // of the two, median over rounds that ran side by side
	Difference float64 `json:"largest_difference"`         // between the two files' latents
	Largest    float64 `json:"largest_value"`              // of the latents
}

// python is the interpreter that runs the loop.
type python struct {
	interpreter string
	script      string
	options     Options
	out         string // the loop's file
}

// newPython asks the interpreter for ONNX Runtime's library, so that both sides
// run the same.
func newPython(ctx context.Context, dir, interpreter string, o *Options) (*python, error) {
	if info, err := os.Stat(o.Data); err != nil || !info.IsDir() {
		return nil, fault.Usagef("--python reads JPEG and PNG files from a folder; --data %s is none", o.Data)
	}
	p := &python{interpreter: interpreter, script: filepath.Join(dir, "loop.py"), out: filepath.Join(dir, "python.arrow")}
	if err := os.WriteFile(p.script, loopScript, 0o600); err != nil {
		return nil, err
	}
	library, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	if o.Library == "" {
		o.Library = strings.TrimSpace(string(library))
	}
	p.options = *o
	return p, nil
}

func (p *python) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.interpreter, append([]string{p.script}, args...)...) //nolint:gosec // the user's own interpreter
	var why bytes.Buffer
	cmd.Stderr = &why
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	lines := strings.Split(strings.TrimSpace(why.String()), "\n")
	return nil, fault.Missingf("%s: %w: %s (it needs numpy, pillow, onnxruntime and pyarrow)", p.interpreter, err, lines[len(lines)-1])
}

// loop is the images a second of the loop in Python.
func (p *python) loop(ctx context.Context, batch int, rep *LoopReport) (float64, error) {
	text, err := p.run(ctx, p.options.Encoder, p.options.Data, p.out, strconv.Itoa(batch))
	if err != nil {
		return 0, err
	}
	var told struct {
		Images   int
		Seconds  float64
		Versions string
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return 0, fmt.Errorf("%s: %w", p.script, err)
	}
	rep.Versions = told.Versions
	return float64(told.Images) / told.Seconds, nil
}

// rounds runs both sides in turn.
func (p *python) rounds(ctx context.Context, n, batch int, observe Observer) (*LoopReport, error) {
	rep := &LoopReport{}
	o := p.options
	o.Dataset.Split, o.noSample = "all", false
	var python, ours, ratios []float64
	for i := range n + 1 {
		theirs, err := p.loop(ctx, batch, rep)
		if err != nil {
			return nil, err
		}
		mine, err := Run(ctx, o, nil)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // the first warms up
		}
		python, ours, ratios = append(python, theirs), append(ours, mine.ImagesPerSec), append(ratios, mine.ImagesPerSec/theirs)
		if observe != nil {
			observe(Progress{Phase: "against Python", Rows: int64(i), Total: int64(n), PerSec: mine.ImagesPerSec})
		}
	}
	rep.Python, rep.Compress, rep.Ratio = median(python), median(ours), median(ratios)
	return rep, p.compare(rep)
}

// compare holds the two files against each other.
func (p *python) compare(rep *LoopReport) error {
	ours, err := readAll(p.options.Out)
	if err != nil {
		return err
	}
	theirs, err := readAll(p.out)
	if err != nil {
		return err
	}
	if !slices.Equal(ours.Paths, theirs.Paths) || len(ours.Latents) != len(theirs.Latents) {
		return fault.Usagef("%s: moncae read %d images and the loop %d, or in another order: the folder must hold JPEG and PNG files only", p.options.Data, ours.Len(), theirs.Len())
	}
	for i, v := range theirs.Latents {
		rep.Difference = max(rep.Difference, math.Abs(float64(v)-float64(ours.Latents[i])))
		rep.Largest = max(rep.Largest, math.Abs(float64(v)))
	}
	return nil
}

func readAll(path string) (all latent.Rows, err error) {
	r, err := latent.Open(path)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		rows, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all.Append(rows)
	}
}
