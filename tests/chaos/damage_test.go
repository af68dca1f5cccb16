//go:build unix

package chaos_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// reader is a command that reads files of ours, and whose result tells whether it
// believed what was wrong in them.
type reader struct {
	args   string
	files  []string // patterns
	result string   // a file that it makes; "": what it prints
	begin  string   // a folder of which it gets a copy, as out
	warns  string   // it goes on without a damaged file, and says this of it
}

func readers() []reader {
	run := []string{"run/run.json", "run/journal.jsonl", "run/front.json", "run/candidates/*/*"}
	checkpoints := []string{"half/candidates/*/*.checkpoint"}
	all := []reader{
		{args: "doctor run", files: run},
		{args: "front run --csv", files: run[:3]},
		{args: "doctor half", files: checkpoints},
		{args: "search --run out --resume", files: checkpoints, result: "out/front.json", begin: "half", warns: "the training begins anew"},
	}
	if fixtures.library == "" {
		return all
	}
	decompress := "decompress --decoder decoder.onnx --device cpu --out out.npy --in "
	return append(all,
		reader{args: "export run --candidate all --out out --device ref --data tiny.npz --json", files: run[:3]},
		reader{args: decompress + "test.arrow", files: []string{"test.arrow"}, result: "out.npy"},
		reader{args: decompress + "test.parquet", files: []string{"test.parquet"}, result: "out.npy"},
		reader{args: decompress + "test.stream", files: []string{"test.stream"}, result: "out.npy"},
		reader{args: decompress + "shards", files: []string{"shards/*"}, result: "out.npy"},
		reader{args: "compress --encoder models/encoder.onnx --data tiny.npz --split test --device cpu --out out.arrow", files: []string{"models/encoder.onnx"}, result: "out.arrow"},
		reader{args: "decompress --decoder models/decoder.onnx --in test.arrow --device cpu --out out.npy", files: []string{"models/decoder.onnx"}, result: "out.npy"},
	)
}

// damages are what happens to bytes.
var damages = []struct {
	name string
	do   func(b []byte, r *rand.Rand) []byte
}{
	{"flip", func(b []byte, r *rand.Rand) []byte { return flip(b, r.IntN(len(b)), r) }},
	{"flip-begin", func(b []byte, r *rand.Rand) []byte { return flip(b, r.IntN(min(64, len(b))), r) }},
	{"flip-end", func(b []byte, r *rand.Rand) []byte { return flip(b, len(b)-1-r.IntN(min(64, len(b))), r) }},
	{"cut", func(b []byte, r *rand.Rand) []byte { return b[:r.IntN(len(b))] }},
	{"zero", func(b []byte, r *rand.Rand) []byte { // a sector that was never written
		at := r.IntN(len(b))
		clear(b[at:min(len(b), at+512)])
		return b
	}},
	{"append", func(b []byte, r *rand.Rand) []byte { return append(b, byte(r.IntN(256)), byte(r.IntN(256))) }},
}

func flip(b []byte, at int, r *rand.Rand) []byte {
	b[at] ^= 1 << r.IntN(8)
	return b
}

// TestDamage changes files of ours in all ways and places, and reads them. What is
// wrong is found (exit code 3), or changes nothing that is read.
func TestDamage(t *testing.T) {
	prepared(t)
	end := share(10)
	begin, whole := damageable(t)
	counts, harmless := map[string]int{}, map[string]int{}
	tried := 0
	for round := 0; *only != "" && round < 10000 || *only == "" && time.Now().Before(end); round++ {
		for i, r := range readers() {
			d := damages[round%len(damages)]
			for _, file := range r.paths(t, begin) {
				name := fmt.Sprintf("damage/%s/%s/%s/%d", strings.Fields(r.args)[0], file, d.name, round)
				if !wanted(name) || *only == "" && !time.Now().Before(end) {
					continue
				}
				said := r.damaged(t, name, begin, file, d.do, whole[i])
				if tried++; said == "harmless" {
					harmless[strings.Fields(r.args)[0]+" "+file+" "+d.name]++
				}
				counts[said]++
			}
		}
	}
	t.Logf("%d damages: %v, seed %d; harmless: %v", tried, counts, *seed, harmless)
}

// damageable makes the files that are read, and what the readers make of them.
func damageable(t *testing.T) (begin string, whole [][]byte) {
	t.Helper()
	all := prepared(t)
	begin = scratch(t, all[0])
	interrupt(t, begin)
	var words []string
	if fixtures.library != "" {
		ids, err := filepath.Glob(filepath.Join(begin, "models", "*"))
		if err != nil || len(ids) != 1 {
			t.Fatalf("%v, %v", ids, err)
		}
		if err := os.CopyFS(filepath.Join(begin, "models"), os.DirFS(ids[0])); err != nil {
			t.Fatal(err)
		}
		compress := "compress --encoder encoder.onnx --data tiny.npz --split test --device cpu --out "
		words = []string{compress + "test.parquet --format parquet", compress + "test.stream --format stream", compress + "shards --shard-rows 17"}
	}
	for _, w := range words {
		if r := moncae(begin, strings.Fields(w)); r.code != 0 {
			t.Fatalf("%s: exit code %d: %s", w, r.code, r.stderr)
		}
	}
	for _, r := range readers() {
		end, made := r.read(t, begin)
		if end.code != 0 {
			t.Fatalf("%s: exit code %d: %s", r.args, end.code, end.stderr)
		}
		whole = append(whole, made)
	}
	return begin, whole
}

// interrupt makes half, a run that was killed while a training was on the disk.
func interrupt(t *testing.T, dir string) {
	t.Helper()
	half := filepath.Join(dir, "half")
	args := strings.Fields("search --run half --data tiny.npz --checkpoint-every 1us " + tiny)
	for kill := 20; kill < 200; kill++ {
		r := moncae(dir, args, fmt.Sprintf("%s=%d", envKill, kill))
		found, err := filepath.Glob(filepath.Join(half, "candidates", "*", "*.checkpoint"))
		if err != nil || r.code >= 0 {
			t.Fatalf("no kill left a checkpoint: %v, exit code %d: %s", err, r.code, r.stderr)
		}
		if len(found) > 0 {
			return
		}
		if err := os.RemoveAll(half); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no kill left a checkpoint")
}

func (r reader) paths(t *testing.T, dir string) (all []string) {
	t.Helper()
	for _, pattern := range r.files {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		for _, path := range found {
			name, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// read runs the reader, and gives what it makes.
func (r reader) read(t *testing.T, dir string) (result, []byte) {
	t.Helper()
	if r.begin != "" {
		if err := os.CopyFS(filepath.Join(dir, "out"), os.DirFS(filepath.Join(dir, r.begin))); err != nil {
			t.Fatal(err)
		}
	}
	cmd, text := process(dir, strings.Fields(r.args))
	var out bytes.Buffer
	cmd.Stdout = &out
	end := ended(cmd, cmd.Run(), text)
	made := out.Bytes()
	if r.result != "" && end.code == 0 {
		content, err := os.ReadFile(filepath.Join(dir, r.result))
		if err != nil {
			t.Fatal(err)
		}
		made = content
	}
	for _, left := range []string{"out", "out.npy", "out.arrow"} {
		if err := os.RemoveAll(filepath.Join(dir, left)); err != nil {
			t.Fatal(err)
		}
	}
	return end, made
}

// damaged reads with one file changed, puts it back, and says what came of it.
func (r reader) damaged(t *testing.T, name, dir, file string, do func([]byte, *rand.Rand) []byte, whole []byte) string {
	path := filepath.Join(dir, file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}()
	changed := do(bytes.Clone(content), draws(name))
	if bytes.Equal(changed, content) {
		return "no change"
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	end, made := r.read(t, dir)
	switch {
	case end.code == 3 && end.reason() != "":
		return "found"
	case end.code == 0 && bytes.Equal(made, whole) && r.warns != "":
		if !strings.Contains(end.stderr, r.warns) {
			failed(t, name, "it goes on without a word: %s", end.stderr)
		}
		return "said"
	case end.code == 0 && bytes.Equal(made, whole):
		return "harmless"
	case end.code == 0 && bytes.Contains(made, []byte("of an interrupted record, which --resume cuts off")):
		return "said"
	case end.code == 0:
		failed(t, name, "it is believed: %.300s", made)
		return "believed"
	}
	failed(t, name, "exit code %d: %s", end.code, end.stderr)
	return "unclear"
}
