//go:build unix

package chaos_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/durable"
)

// job is a command that writes.
type job struct {
	name  string
	args  string
	again string // what goes on after an interruption; "": args
	// out is what the command makes or replaces, whole or not at all; "" where it
	// grows, as a run and a folder of shards do.
	out string
	// files, where set, are those below the folder that come out the same each time.
	files *regexp.Regexp
	// workers, where set, are the flags by which other processes do the work.
	workers string
	runs    bool   // the folder run is written to, and must stay sound
	mends   string // a damaged run: sound afterwards, with no file's content gone

	begin string            // a folder with what the command finds
	old   map[string]string // SHA-256 of out's files before, by path
	whole map[string]string // and afterwards
	steps []step            // that an undisturbed process makes
	took  time.Duration
}

func (j *job) resume() string {
	if j.again != "" {
		return j.again
	}
	return j.args
}

const tiny = "--device ref --population 3 --generations 2 --epochs 1 --finetune 1 --max-layers 2 --max-filters 4 --reference 5,9 --no-export"

var networks = regexp.MustCompile(`\.onnx$`)

// jobs are all commands that write, in each form that has a writer of its own.
func jobs() []*job {
	all := []*job{
		{name: "search", args: "search --run r --data tiny.npz " + tiny, again: "search --run r --resume", files: regexp.MustCompile(`^r/(front\.json|run\.json|candidates/)`),
			workers: " --workers local:2 --worker-timeout 5s --checkpoint-every 1ms"},
		{name: "finetune", args: "finetune run --epochs 1 --device ref --data tiny.npz", runs: true, files: regexp.MustCompile(`^$`)},
		{name: "repair", args: "doctor broken --repair", mends: "broken", files: regexp.MustCompile(`^broken/(journal\.jsonl|run\.json|front\.json|candidates/)`)},
		{name: "data-get", args: download + " " + fixtures.remote + " got", out: "got", files: regexp.MustCompile(`^got/file$`)},
		{name: "convert-idx", args: "data convert tiny.npz --format idx --out out", out: "out"},
		{name: "convert-npz", args: "data convert tiny.npz --format npz --out out.npz", out: "out.npz"},
		{name: "convert-images", args: "data convert tiny.npz --limit 12 --format images --out out", out: "out"},
		{name: "convert-parquet", args: "data convert tiny.npz --format parquet --out out", out: "out"},
		{name: "sheet", args: "data info tiny.npz --png old.png", out: "old.png"},
		{name: "plot", args: "front run --plot old.svg", out: "old.svg"},
		{name: "gallery", args: "front run --gallery old.png --device ref --data tiny.npz", out: "old.png"},
		{name: "report", args: "report run --out old.html --device ref --data tiny.npz", out: "old.html"},
	}
	if fixtures.library == "" {
		return all
	}
	return append(all,
		&job{name: "export", args: "export run --candidate best-loss --out models --dtype float16 --device ref --data tiny.npz", out: "models"},
		&job{name: "compress", args: "compress --encoder encoder.onnx --data tiny.npz --split train --batch 8 --device cpu --out test.arrow", out: "test.arrow"},
		&job{name: "compress-parquet", args: "compress --encoder encoder.onnx --data tiny.npz --split train --format parquet --device cpu --out out.parquet", out: "out.parquet"},
		&job{name: "compress-shards", args: "compress --encoder encoder.onnx --data tiny.npz --split train --shard-rows 9 --device cpu --out shards",
			again: "compress --encoder encoder.onnx --data tiny.npz --split train --shard-rows 9 --device cpu --out shards --resume", files: regexp.MustCompile(`^shards/`), workers: " --workers local:2 --worker-timeout 5s"},
		&job{name: "replace-shards", args: "compress --encoder encoder.onnx --data tiny.npz --split train --shard-rows 9 --device cpu --out pieces", out: "pieces", workers: " --workers local:2 --worker-timeout 5s"},
		&job{name: "decompress-png", args: "decompress --decoder decoder.onnx --in test.arrow --device cpu --out out", out: "out"},
		&job{name: "decompress-npy", args: "decompress --decoder decoder.onnx --in test.arrow --device cpu --out out.npy", out: "out.npy"},
		&job{name: "decompress-arrow", args: "decompress --decoder decoder.onnx --in test.arrow --device cpu --out out.arrow", out: "out.arrow"},
		&job{name: "classify", args: "classify --train train.arrow --test test.arrow --device ref --out heads", out: "heads", files: networks},
		&job{name: "classify-run", args: "classify run --candidate best-loss --device ref --data tiny.npz --out heads", out: "heads", files: networks, runs: true},
	)
}

// fixtures are made once for all tests.
var fixtures struct {
	dir     string
	remote  string // address of what is downloaded
	library string // ONNX Runtime's, "" without
	once    sync.Once
	jobs    []*job
	err     error
}

// prepared are the jobs, each tried once without disturbance.
func prepared(t *testing.T) []*job {
	t.Helper()
	fixtures.once.Do(func() { fixtures.jobs, fixtures.err = prepare() })
	if fixtures.err != nil {
		t.Fatal(fixtures.err)
	}
	return fixtures.jobs
}

// prepare makes data, a run, an export, latents, and old versions of what is to be
// replaced.
func prepare() ([]*job, error) {
	begin := filepath.Join(fixtures.dir, "begin")
	if err := os.Mkdir(begin, 0o700); err != nil {
		return nil, err
	}
	words := []string{
		"data convert mnist-mini --limit 40 --format npz --out tiny.npz",
		"search --run run --data tiny.npz " + tiny,
		"data info tiny.npz --png old.png", "front run --plot old.svg", "report run --out old.html --device ref --data tiny.npz",
	}
	all := jobs()
	for _, j := range all {
		if j.out != "" && j.name != "data-get" {
			j.args += " --overwrite"
		}
	}
	if fixtures.library != "" {
		words = append(words, "export run --candidate best-loss --out models --device ref --data tiny.npz", "CP",
			"compress --encoder encoder.onnx --data tiny.npz --split train --device cpu --out train.arrow",
			"compress --encoder encoder.onnx --data tiny.npz --split test --device cpu --out test.arrow",
			"compress --encoder encoder.onnx --data tiny.npz --split test --shard-rows 3 --device cpu --out pieces",
			"classify --train train.arrow --test test.arrow --device ref --out heads --head linear --seed 3")
	}
	for _, w := range words {
		if w == "CP" {
			if err := copyModels(begin); err != nil {
				return nil, err
			}
			continue
		}
		if r := moncae(begin, strings.Fields(w)); r.code != 0 {
			return nil, fmt.Errorf("%s: exit code %d: %s", w, r.code, r.stderr)
		}
	}
	if err := breakRun(filepath.Join(begin, "run"), filepath.Join(begin, "broken")); err != nil {
		return nil, err
	}
	// What is replaced is another version: something of an earlier day.
	for _, name := range []string{"old.png", "old.svg", "old.html"} {
		if err := os.WriteFile(filepath.Join(begin, name), []byte("an earlier version\n"), 0o600); err != nil {
			return nil, err
		}
	}
	for _, j := range all {
		if err := j.try(begin); err != nil {
			return nil, fmt.Errorf("%s: %w", j.name, err)
		}
	}
	return all, nil
}

// breakRun copies a run, and flips a bit of its journal and one of a candidate's weights.
func breakRun(run, to string) error {
	if err := os.CopyFS(to, os.DirFS(run)); err != nil {
		return err
	}
	weights, err := filepath.Glob(filepath.Join(to, "candidates", "g0-*", "*.safetensors"))
	if err != nil || len(weights) == 0 {
		return fmt.Errorf("weights: %v, %w", weights, err)
	}
	for _, path := range []string{filepath.Join(to, "journal.jsonl"), weights[0]} {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		content[len(content)/2] ^= 1
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// copyModels puts an export's encoder and decoder into the folder itself.
func copyModels(dir string) error {
	var errs []error
	for _, name := range []string{"encoder.onnx", "decoder.onnx"} {
		found, err := filepath.Glob(filepath.Join(dir, "models", "*", name))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%s: %v, %w", name, found, err)
		}
		content, err := os.ReadFile(found[0])
		errs = append(errs, err, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return errors.Join(errs...)
}

// try runs the job without disturbance.
func (j *job) try(begin string) (err error) {
	j.begin = begin
	dir := filepath.Join(fixtures.dir, "whole-"+j.name)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.CopyFS(dir, os.DirFS(begin))); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	j.old = j.content(dir)
	trace := filepath.Join(fixtures.dir, "trace")
	at := time.Now()
	if r := moncae(dir, strings.Fields(j.args), envTrace+"="+trace); r.code != 0 {
		return fmt.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	j.took = time.Since(at)
	j.whole = j.content(dir)
	if left := temporary(dir); len(left) > 0 {
		return fmt.Errorf("left behind: %v", left)
	}
	j.steps, err = readTrace(trace)
	return err
}

// readTrace reads the steps that a process has left.
func readTrace(path string) (steps []step, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return steps, gob.NewDecoder(bytes.NewReader(b)).Decode(&steps)
}

// content is the SHA-256 of each of the job's files, by path.
func (j *job) content(dir string) map[string]string {
	all := map[string]string{}
	root := filepath.Join(dir, j.out)
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // nothing is there yet
		}
		if strings.Contains(e.Name(), durable.TempMark) && e.IsDir() {
			return fs.SkipDir
		}
		if strings.Contains(e.Name(), durable.TempMark) || e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || j.files != nil && !j.files.MatchString(name) {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(placeless(content))
		all[name] = hex.EncodeToString(sum[:])
		return err
	})
	return all
}

// placeless is content without the folder that its case had: a page names its run's.
func placeless(content []byte) []byte {
	before := []byte(fixtures.dir + "/")
	var out []byte
	for {
		i := bytes.Index(content, before)
		if i < 0 {
			return append(out, content...)
		}
		out, content = append(out, content[:i]...), content[i+len(before):]
		for len(content) > 0 && content[0] != '/' {
			content = content[1:]
		}
	}
}

// count is how many steps the job makes, of a kind or, with "", in all.
func (j *job) count(kind string) int { return count(j.steps, kind) }

func count(steps []step, kind string) (n int) {
	for _, s := range steps {
		if s.Asked && (kind == "" || s.Kind == kind) {
			n++
		}
	}
	return n
}

// goOn is the command after a disturbance.
func (j *job) goOn(dir string) string {
	if j.name == "search" && !isRun(filepath.Join(dir, "r")) {
		return j.args
	}
	return j.resume()
}

// check holds what a disturbed process left against the promises, runs the
// command again, and wants it to end as if nothing had happened.
func (j *job) check(t *testing.T, name, dir string) bool {
	t.Helper()
	if now := j.content(dir); j.out != "" && !same(now, j.old) && !same(now, j.whole) {
		failed(t, name, "%s is neither as it was nor whole: %v", j.out, names(now))
		return false
	}
	if j.runs && !sound(t, name, dir, "run") {
		return false
	}
	if j.out != "" && len(j.old) == 0 && len(j.whole) > 0 && same(j.content(dir), j.whole) {
		if err := os.RemoveAll(filepath.Join(dir, j.out)); err != nil { // it was committed before, and is made again
			t.Fatal(err)
		}
	}
	again := j.goOn(dir)
	if r := moncae(dir, strings.Fields(again)); r.code != 0 {
		failed(t, name, "`moncae %s` then ends with %d: %s", again, r.code, r.stderr)
		return false
	}
	if now := j.content(dir); !same(now, j.whole) {
		failed(t, name, "what the command makes then differs: %v", different(now, j.whole))
		return false
	}
	if left := temporary(dir); len(left) > 0 {
		failed(t, name, "left behind: %v", left)
		return false
	}
	if j.mends != "" && !j.mended(t, name, dir) {
		return false
	}
	return !j.runs || sound(t, name, dir, "run")
}

// mended wants a run that was damaged to be sound, and every content that it had
// somewhere below it.
func (j *job) mended(t *testing.T, name, dir string) bool {
	t.Helper()
	all := &job{out: j.mends}
	for was, sum := range all.content(j.begin) {
		if !slices.Contains(slices.Collect(maps.Values(all.content(dir))), sum) {
			failed(t, name, "the content of %s is gone", was)
			return false
		}
	}
	return sound(t, name, dir, j.mends)
}

func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "run.json"))
	return err == nil
}

// sound asks doctor about a run.
func sound(t *testing.T, name, dir, run string) bool {
	t.Helper()
	if r := moncae(dir, []string{"doctor", run}); r.code != 0 {
		failed(t, name, "doctor %s ends with %d: %s", run, r.code, r.stderr)
		return false
	}
	return true
}

func same(a, b map[string]string) bool { return len(different(a, b)) == 0 }

func different(a, b map[string]string) (all []string) {
	for name, sum := range a {
		if b[name] != sum {
			all = append(all, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			all = append(all, name)
		}
	}
	return all
}

func names(m map[string]string) (all []string) {
	for name := range m {
		all = append(all, name)
	}
	return all
}
