package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/fault"
	"moncae/internal/ort"
)

// The sweep gives every command something that it can't use, for each of its arguments
// that name a file or a folder. Held is what the program promises of all input: an exit
// code that says whose fault it is, one line that names what was given and has no words of
// libraries, and that nothing is left behind.
//
//	go test ./internal/cli -run Garbage -args -cut 50 -seed 2
//
// also cuts and changes sound files at so many random places for each argument.
var (
	cuts = flag.Int("cut", 0, "files for each argument that are cut or changed at random places")
	seed = flag.Uint64("seed", 1, "seed of those places")
)

// argument is one of a command line that names what is read, written @.
type argument struct {
	line string
	kind string // of what is wanted there: a key of kinds
}

// small has a search end at once, where it begins.
const small = " --device ref --population 2 --generations 1 --epochs 1 --finetune 0 --finetune-trial 0 --max-layers 2 --max-filters 4 --reference 5,9 --no-export"

// reads are all arguments that name what is read. {run}, {encoder}, … are sound ones.
var reads = []argument{
	{"search --run new --data @" + small, "data"},
	{"search --evaluate --data @ --device ref", "data"},
	{"search --run new --data {images} --label-file @" + small, "csv"},
	{"search --run @ --resume --device ref", "run"},
	{"front {run} --config @", "yaml"},
	{"finetune @ --epochs 1 --device ref", "run"},
	{"finetune {run} --epochs 1 --device ref --data @", "data"},
	{"export @ --out new", "run"},
	{"export {run} --candidate population --out new --data @", "data"},
	{"compress --encoder @ --data {data} --out new.arrow", "onnx"},
	{"compress --encoder {encoder} --decoder @ --data {data} --out new.arrow", "onnx"},
	{"compress --encoder {encoder} --data @ --out new.arrow", "data"},
	{"compress --encoder {encoder} --data {data} --run @ --split test --out new.arrow", "run"},
	{"compress --encoder {encoder} --data {images} --label-file @ --out new.arrow", "csv"},
	{"decompress --decoder @ --in {latents} --out new.npy", "onnx"},
	{"decompress --decoder {decoder} --in @ --out new.npy", "latents"},
	{"classify @ --out new --device ref", "run"},
	{"classify {run} --candidate population --data @ --out new --device ref", "data"},
	{"classify --train @ --test {tested} --out new --device ref", "latents"},
	{"classify --train {latents} --test @ --out new --device ref", "latents"},
	{"classify --train {latents} --test {tested} --encoder @ --out new --device ref", "onnx"},
	{"classify --train {latents} --test {tested} --run @ --out new --device ref", "run"},
	{"classify --train {latents} --test {tested} --baselines --data @ --out new --device ref", "data"},
	{"data info @", "data"},
	{"data info {images} --label-file @", "csv"},
	{"data convert @ --format npz --out new.npz", "data"},
	{"front @", "run"},
	{"front {run} @", "run"},
	{"front {run} --gallery new.png --data @ --device ref", "data"},
	{"choose @", "run"},
	{"compare @ {run}", "run"},
	{"compare --group a=@ --group b={run}", "trials"},
	{"report @ --out new.html", "run"},
	{"report {run} --classify @ --out new.html --device ref", "heads"},
	{"report {run} --data @ --out new.html --device ref", "data"},
	{"serve @ --address 127.0.0.1:0", "run"},
	{"doctor @", "run"},
	{"doctor @ --repair", "run"},
	{"bench train @ --seconds 0.01 --device ref", "arch"},
	{"bench scale --simulate @ --workers 2 --generations 1", "run"},
	{"bench compress --encoder @ --data {data} --rounds 1", "onnx"},
	{"bench compress --encoder {encoder} --data @ --rounds 1", "data"},
}

// kinds are the endings that a file of a kind may have, and the sound ones of the sweep
// with theirs.
var kinds = map[string]struct {
	endings []string
	sound   [][2]string
	ours    bool // damage has an exit code of its own
}{
	"data": {endings: strings.Fields(`"" .png .zip .npz .npy .parquet .arrow .mat .csv .tsv .tar .tar.gz .tgz .tar.zst .gz -idx3-ubyte .h5 .pkl .pt .xlsx .json`),
		sound: [][2]string{{"data.npz", ".npz"}, {"shards/data/train-00000-of-00001.parquet", ".parquet"}, {"idx/train-images-idx3-ubyte.gz", "-idx3-ubyte.gz"}}},
	"csv":     {endings: strings.Fields(`.csv .tsv .txt .jsonl .parquet .json ""`), sound: [][2]string{{"shards/data/train-00000-of-00001.parquet", ".parquet"}}},
	"yaml":    {endings: []string{".yaml"}},
	"trials":  {endings: []string{".jsonl"}},
	"arch":    {endings: []string{".json"}, sound: [][2]string{{"run/candidates/g0-0/arch.json", ".json"}}, ours: true},
	"onnx":    {endings: []string{".onnx"}, sound: [][2]string{{"export/g0-0/encoder.onnx", ".onnx"}, {"export/g0-0/decoder.onnx", ".onnx"}}, ours: true},
	"latents": {endings: []string{".arrow", ".parquet"}, sound: [][2]string{{"latents.arrow", ".arrow"}, {"latents.parquet", ".parquet"}}, ours: true},
	"run":     {endings: []string{`""`}, ours: true},
	"heads":   {endings: []string{`""`}, ours: true},
}

// raw is text of libraries, or of the program's inside.
var raw = strings.Split("runtime error|goroutine|panic|nil pointer|unexpected EOF|invalid argument|thrift|arrow/|parquet: |zlib:|flate:|gzip: |zip: |tar: |zstd: |archive/|magic number mismatch|proto:|yaml:| json: |"+
	"invalid character|strconv|unmarshal|illegal seek|bad file descriptor|%!|0xc0|.go:|<nil>|EOF|flate|Thrift|protobuf|input/output error", "|")

// contents are what is no file of any kind.
var contents = map[string][]byte{
	"empty":   nil,
	"short":   {1},
	"noise":   noise(4096),
	"zeros":   make([]byte, 4096),
	"text":    []byte("Hello, this is no such file.\nNor is this.\n"),
	"page":    []byte("<!DOCTYPE html><html><title>404</title></html>\n"),
	"pointer": []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
	"list":    []byte("[1, 2, [3"),
	"nested":  bytes.Repeat([]byte("["), 20000),
}

func noise(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 1)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// sweep is a folder of sound files, and one, which is the current one, for each call.
type sweep struct {
	*testing.T
	sound  string
	use    *strings.Replacer
	models bool // ONNX Runtime is here: there are models and latents
}

func newSweep(t *testing.T) *sweep {
	t.Helper()
	dir, work := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	s := &sweep{T: t, sound: dir, use: strings.NewReplacer("{run}", at("run"), "{encoder}", at("export/g0-0/encoder.onnx"), "{decoder}", at("export/g0-0/decoder.onnx"),
		"{data}", at("data.npz"), "{images}", at("images"), "{latents}", at("latents.arrow"), "{tested}", at("tested.arrow"), "{arch}", at("run/candidates/g0-0/arch.json"), "{sound}", dir)}
	t.Setenv("MONCAE_DATA", "")
	if library, err := ort.Find("", "cpu"); err == nil && withCgo {
		t.Setenv(ort.EnvLibrary, library.Path)
		s.models = true
	}
	t.Chdir(work)
	for _, line := range []string{
		"data convert mnist-mini --limit 20 --format npz --out {data}",
		"data convert mnist-mini --limit 20 --format idx --out {sound}/idx",
		"data convert mnist-mini --limit 20 --split train --format parquet --out {sound}/shards",
		"data convert mnist-mini --limit 10 --split train --format images --out {images}",
		"search --data {data} --run {run}" + small,
	} {
		s.must(line)
	}
	if s.models {
		for _, line := range []string{
			"export {run} --candidate g0-0 --out {sound}/export",
			"compress --encoder {encoder} --data {data} --out {latents}",
			"compress --encoder {encoder} --data {data} --out {sound}/latents.parquet",
			"compress --encoder {encoder} --data {data} --split test --out {tested}",
		} {
			s.must(line)
		}
	}
	return s
}

func (s *sweep) must(line string) {
	s.Helper()
	if code, said := s.call(line); code != 0 {
		s.Fatalf("moncae %s: exit code %d\n%s", line, code, said)
	}
}

// call runs a command, and gives its exit code and what it said on the standard error.
func (s *sweep) call(line string) (code int, said string) {
	s.Helper()
	return s.callWith(line, nil)
}

func (s *sweep) callWith(line string, in []byte) (code int, said string) {
	s.Helper()
	var args []string
	for _, word := range strings.Fields(line) {
		args = append(args, s.use.Replace(word))
	}
	var out, err bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- Main(args, Streams{In: bytes.NewReader(in), Out: &out, Err: &err, Width: 100}) }()
	select {
	case code = <-done:
	case <-time.After(time.Minute):
		s.Fatalf("moncae %s: no end", line)
	}
	return code, err.String()
}

// given is something for an argument.
type given struct {
	name string
	make func(path string) error
	fine bool // it may be of use
}

func file(name string, content []byte) given {
	return given{name: name, make: func(path string) error { return os.WriteFile(path, content, 0o666) }}
}

// specials are what is no file, or nothing.
func specials(ending string) []given {
	return []given{
		{name: "missing" + ending, make: func(string) error { return nil }},
		{name: "folder" + ending, make: func(path string) error { return os.Mkdir(path, 0o777) }},
		{name: "filled" + ending, make: func(path string) error {
			return errors.Join(os.Mkdir(path, 0o777), os.WriteFile(filepath.Join(path, "notes.md"), []byte("notes"), 0o666))
		}},
		{name: "pipe" + ending, make: func(path string) error { return syscall.Mkfifo(path, 0o666) }},
		{name: "device" + ending, make: func(path string) error { return os.Symlink("/dev/zero", path) }},
		{name: "loop" + ending, make: func(path string) error { return os.Symlink(filepath.Base(path), path) }},
		{name: "file" + ending + "/below" + ending, make: func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o666) }},
	}
}

// all are the things given for an argument of a kind. Of a kind with many endings, an
// argument gets each content under some of them.
func (s *sweep) all(kind string, everyEnding bool, r *rand.Rand) (all []given) {
	k := kinds[kind]
	some := func() []string {
		endings := k.endings
		if !everyEnding && len(endings) > 2 {
			endings = []string{endings[r.IntN(len(endings))]}
		}
		return strings.Split(strings.ReplaceAll(strings.Join(endings, "|"), `""`, ""), "|")
	}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		for _, ending := range some() {
			g := file(name+ending, contents[name])
			g.fine = kind == "yaml" && name == "empty"
			all = append(all, g)
		}
		if kind == "run" {
			all = append(all, given{name: "run-" + name, make: func(path string) error {
				return errors.Join(os.Mkdir(path, 0o777), os.WriteFile(filepath.Join(path, "run.json"), contents[name], 0o666))
			}})
		}
	}
	for i := range specials("") {
		for _, ending := range some() {
			all = append(all, specials(ending)[i])
		}
	}
	for _, other := range slices.Sorted(maps.Keys(kinds)) {
		for _, sound := range kinds[other].sound {
			if !s.models && kinds[other].ours && other != "arch" {
				continue
			}
			content := s.read(sound[0])
			if other != kind {
				g := file(other+some()[0], content)
				g.fine = kind == "data" && other == "csv" || strings.HasSuffix(g.name, sound[1])
				all = append(all, g)
				continue
			}
			for _, n := range []int{10, len(content) / 2, len(content) - 3} {
				all = append(all, given{name: fmt.Sprintf("cut%d%s", n, sound[1]), make: func(path string) error { return os.WriteFile(path, content[:n], 0o666) }})
			}
			for i := range *cuts {
				all = append(all, given{name: fmt.Sprintf("changed%d%s", i, sound[1]), fine: true, make: func(path string) error { return os.WriteFile(path, changed(content, r), 0o666) }})
			}
		}
	}
	return all
}

// changed is a content that is cut, or has some bytes changed, at random places.
func changed(content []byte, r *rand.Rand) []byte {
	b := slices.Clone(content)
	if r.IntN(3) == 0 {
		return b[:r.IntN(len(b))]
	}
	for range 1 + r.IntN(4) {
		b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
	}
	return b
}

func (s *sweep) read(name string) []byte {
	b, err := os.ReadFile(filepath.Join(s.sound, name))
	if err != nil {
		s.Fatal(err)
	}
	return b
}

// refused calls a command with what is given, and holds its refusal against what is
// promised.
func (s *sweep) refused(arg argument, g given) {
	s.Helper()
	if err := g.make(g.name); err != nil {
		s.Fatal(err)
	}
	before := s.holds()
	line := strings.ReplaceAll(arg.line, "@", g.name)
	code, said := s.call(line)
	for _, fault := range s.faults(arg, g, code, said) {
		s.Errorf("moncae %s\n%sexit code %d: %s", line, said, code, fault)
	}
	if after := s.holds(); code != 0 && !slices.Equal(before, after) {
		s.Errorf("moncae %s\n%sthe folder holds %v, before it %v", line, said, after, before)
	}
	s.empty()
}

// empty removes what is in the current folder.
func (s *sweep) empty() {
	s.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(e.Name()); err != nil {
			s.Fatal(err)
		}
	}
}

// holds are the files in the current folder, with their sizes and times.
func (s *sweep) holds() (list []string) {
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && path != "." {
			list = append(list, fmt.Sprint(path, " ", info.Mode(), info.Size(), info.ModTime().UnixNano()))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return list
}

func (s *sweep) faults(arg argument, g given, code int, said string) (all []string) {
	if code == 0 {
		if !g.fine {
			all = append(all, "it is taken for something")
		}
		return all
	}
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	switch fault.Kind(code) {
	case fault.Usage, fault.Missing:
	case fault.Damaged:
		if !kinds[arg.kind].ours {
			say("a damaged file of ours? It is none")
		}
	default:
		say("that isn't the user's fault")
	}
	warned := strings.Count("\n"+said, "\nmoncae: training in pure Go") // by a build without oneDNN, before
	if n := strings.Count("\n"+said, "\nmoncae: ") - warned; n != 1 || !strings.HasPrefix(lastLine(said), "moncae: ") {
		say("%d lines of reasons", n)
	}
	if top, _, _ := strings.Cut(g.name, "/"); !strings.Contains(said, top) {
		say("what was given isn't named")
	}
	plain := strings.ReplaceAll(said, g.name, "")
	for _, r := range raw {
		if strings.Contains(plain, r) {
			say("%q is no word for users", r)
		}
	}
	return all
}

// lastLine of what was said may follow lines of progress.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	return lines[len(lines)-1]
}

func TestGarbageIsRefused(t *testing.T) {
	s := newSweep(t)
	r := rand.New(rand.NewPCG(*seed, 0))
	for _, arg := range reads {
		if !s.models && (strings.HasPrefix(arg.line, "export {run}") || strings.Contains(arg.line, "{encoder}") || strings.Contains(arg.line, "{latents}")) {
			continue
		}
		for _, g := range s.all(arg.kind, arg.line == "data info @", r) {
			s.refused(arg, g)
		}
	}
}

// TestGarbageOnTheInput: a worker refuses lines that are no JSON. (search --evaluate answers
// each, and goes on.)
func TestGarbageOnTheInput(t *testing.T) {
	s := newSweep(t)
	for name, content := range contents {
		if name == "empty" {
			continue // nothing to do
		}
		line := "worker --device ref"
		code, said := s.callWith(line, content)
		for _, fault := range s.faults(argument{line, "data"}, given{name: "line 1"}, code, said) {
			t.Errorf("moncae %s < %s\n%sexit code %d: %s", line, name, said, code, fault)
		}
	}
}

// writes are all arguments that name what is made.
var writes = []string{
	"search --run @" + small, "export {run} --candidate population --out @",
	"compress --encoder {encoder} --data {data} --out @.arrow", "compress --encoder {encoder} --data {data} --shard-rows 2 --out @",
	"decompress --decoder {decoder} --in {latents} --out @.npy", "decompress --decoder {decoder} --in {latents} --out @",
	"classify --train {latents} --test {tested} --device ref --out @", "classify {run} --candidate population --device ref --out @",
	"data info {data} --png @.png", "data convert {data} --format npz --out @.npz", "data convert {data} --format idx --out @", "data convert {data} --format images --out @",
	"front {run} --plot @.svg", "front {run} --gallery @.png --device ref", "compare {run} {run} --svg @.svg", "report {run} --device ref --out @.html",
	"selftest --quick --device ref --out @.json",
}

// TestNothingIsWrittenOver: what is in the place of a result stays, and where there can be
// no place nothing is left.
func TestNothingIsWrittenOver(t *testing.T) {
	s := newSweep(t)
	for _, line := range writes {
		if !s.models && (strings.Contains(line, "{encoder}") || strings.Contains(line, "{latents}") || strings.HasPrefix(line, "export")) {
			continue
		}
		word := line[strings.Index(line, "@"):]
		ending, _, _ := strings.Cut(word[1:], " ")
		arg := argument{strings.Replace(line, "@"+ending, "@", 1), "data"}
		filled := specials(ending)[2]
		filled.fine = strings.HasPrefix(line, "export") || strings.Contains(line, "--shard-rows") // which add to a folder
		for _, g := range append([]given{file("there"+ending, []byte("mine")), filled}, specials(ending)[3:]...) {
			s.refused(arg, g)
		}
	}
	for _, g := range append(specials("")[3:], file("there", nil)) {
		s.refused(argument{"data get mnist --data-dir @", "data"}, g)
	}
}

// soundLines are lines of which nothing is wrong, for each command that has flags.
var soundLines = map[string]string{
	"search": "--run new --data {data}" + small, "finetune": "{run} --device ref --data {data} --epochs 1 --no-export", "export": "{run} --candidate population --data {data} --out new",
	"compress": "--encoder {encoder} --data {data} --out new.arrow", "decompress": "--decoder {decoder} --in {latents} --out new.npy",
	"classify": "{run} --data {data} --candidate population --device ref --out new", "data info": "{data}", "data convert": "{data} --format npz --out new.npz", "data list": "", "data get": "nowhere",
	"front": "{run}", "choose": "{run}", "compare": "{run} {run}", "report": "{run} --device ref --out new.html", "serve": "{run}", "doctor": "{run}", "selftest": "--quick --device cuda:99", "worker": "",
	"bench train": "{arch} --seconds 0.01 --device ref", "bench compress": "--encoder {encoder} --data {data} --rounds 1", "bench workers": "--device ref --tasks 1 --workers local:1",
	"bench scale": "--simulate --workers 2 --generations 1",
}

// values are no values of flags of a type.
var values = map[string][]string{
	"int": {"x", "", "1.5", "NaN", "-1", "99999999999999999999", "0x", "1e3"}, "int64": {"x", "", "-1", "99999999999999999999"}, "uint64": {"x", "", "-1", "99999999999999999999"},
	"float64": {"x", "", "NaN", "Inf", "-1", "1e999"}, "duration": {"x", "", "-1s", "5", "99999999999999h"}, "bool": {"maybe", "2"},
}

// anyNumber are flags of which a negative number, or a huge one, is one like others.
var anyNumber = strings.Fields("min-psnr min-ssim seed")

// words are no values of flags that take words.
var words = map[string][]string{
	"device": {"tpu", "cuda:x", "cuda:-1", "CPU", ""}, "address": {"nonsense", "127.0.0.1:99999", "[::1", "256.1.1.1:0", "127.0.0.1:-1", "127.0.0.1:x"}, "objectives": {"", "loss", "loss,loss", "loss,speed", ",,"},
	"reference": {"x", "1", "NaN,1", "1,Inf", "1,2,3"}, "bound": {"", "loc", "loc<=", "loc<=x", "loc<=NaN", "speed<=1", "loc<2<3"}, "algorithm": {"", "best"}, "loss": {"", "l2"}, "space": {"", "outer"},
	"precision": {"f8", "double"}, "finetune-scope": {"", "all"}, "mean": {"", "x", "1,2", "NaN", "1,1,1,1"}, "std": {"", "x", "0", "0,0,0", "-1", "NaN"}, "candidate": {"g99-99", "best"}, "group": {"", "a", "=b", "a="},
	"memory": {"x", "-1", "0", "4X", "NaN", "1e30T"}, "workers": {"x", "local", "local:", "local:0", "local:-1", "local:x", "http://x"}, "image-size": {"", "x", "0x0", "-1x4", "4x", "99999999999x9", "4x4x4"},
	"range": {"", "x", "1", "1,0", "0,0", "NaN,1", "0,Inf", "1,2,3"}, "background": {"", "red", "256", "-1", "1.5"}, "python": {"nowhere/python"}, "events": {"x", "-1", "2", "999"},
}

// TestFlagsAreHeldToTheirTypes: a value that is none is refused by name, before anything
// is done.
func TestFlagsAreHeldToTheirTypes(t *testing.T) {
	s := newSweep(t)
	var each func(cmd *cobra.Command, path string)
	each = func(cmd *cobra.Command, path string) {
		for _, c := range cmd.Commands() {
			each(c, strings.TrimSpace(path+" "+c.Name()))
		}
		line, known := soundLines[path]
		if !known || !s.models && strings.Contains(line, "{encoder}") {
			return
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			wrong := values[f.Value.Type()]
			if w, named := words[f.Name]; named {
				wrong = w
			} else if _, chosen := f.Value.(choice); chosen {
				wrong = []string{"zzz", ""}
			}
			for _, v := range wrong {
				if slices.Contains(anyNumber, f.Name) && strings.HasPrefix(v, "-") && f.Value.Type() != "uint64" {
					continue
				}
				s.refusedFlag(path+" "+line, f.Name, v)
			}
		})
	}
	each(Command(), "")
}

func (s *sweep) refusedFlag(line, flag, value string) {
	s.Helper()
	before := s.holds()
	line += " --" + flag + "=" + value
	code, said := s.call(line)
	named, _, _ := strings.Cut(flag, "-")
	arg, g := argument{line, "data"}, given{name: named[:len(named)-1]} // finetuning of --finetune, an objective of --objectives
	for _, fault := range s.faults(arg, g, code, said) {
		s.Errorf("moncae %s\n%sexit code %d: %s", line, said, code, fault)
	}
	if after := s.holds(); !slices.Equal(before, after) {
		s.Errorf("moncae %s\n%sthe folder holds %v, before it %v", line, said, after, before)
	}
	s.empty()
}
