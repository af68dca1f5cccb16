package cli

import (
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"moncae/classify"
	"moncae/compress"
	"moncae/export"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/modelinput"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/search"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// parse gives a command's flags the words of a command line.
func parse(t *testing.T, add func(*app, *pflag.FlagSet), line string) (*app, *pflag.FlagSet) {
	t.Helper()
	a, f := &app{Streams: Streams{Out: io.Discard, Err: io.Discard}}, pflag.NewFlagSet("", pflag.ContinueOnError)
	add(a, f)
	if err := f.Parse(strings.Fields(line)); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return a, f
}

// asked holds what flags ask for against what is wanted, or the error's words.
func asked[T any](t *testing.T, line string, got T, err error, want T, says string) {
	t.Helper()
	if says != "" {
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", line, err, says)
		}
		return
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %+v (%v)\nwant %+v", line, got, err, want)
	}
}

func TestCompressFlags(t *testing.T) {
	plain := compress.Options{Encoder: "e.onnx", Data: "digits", Out: "x.arrow", Device: "auto", Dataset: dataset.Options{TestFraction: dataset.DefaultTestFraction}}
	with := func(change func(*compress.Options)) compress.Options {
		o := plain
		change(&o)
		return o
	}
	for line, c := range map[string]struct {
		want compress.Options
		says string
	}{
		"-e e.onnx -d digits -o x.arrow": {want: plain},
		"-e e.onnx -d digits -o x.arrow --dtype int8 --layout list --format stream --compression zstd": {want: with(func(o *compress.Options) {
			o.Store = latent.Options{DType: latent.Int8, Layout: latent.List, Format: latent.Stream, Compression: latent.Zstd}
		})},
		"-e e.onnx -d digits -o x.arrow --overwrite --with-error --shard-rows 7 --resume --batch 5 --run r --decoder none": {want: with(func(o *compress.Options) {
			o.Overwrite, o.WithError, o.ShardRows, o.Resume, o.Batch, o.RunDir, o.Decoder = true, true, 7, true, 5, "r", "none"
		})},
		"-e e.onnx -d digits -o x.arrow --image-size 8x9 --channels 3 --background black --range -1,1 --split test": {want: with(func(o *compress.Options) {
			o.Dataset.ImageSize, o.Dataset.Channels, o.Dataset.Background, o.Dataset.Range, o.Dataset.Split = &[2]int{8, 9}, 3, new(uint8), &[2]float64{-1, 1}, "test"
		})},
		"-e e.onnx -d digits -o x.arrow --images nhwc --scale raw --output mu": {want: with(func(o *compress.Options) {
			o.Foreign = modelinput.Spec{Layout: modelinput.NHWC, Scale: modelinput.Raw, Output: "mu"}
		})},
		"-e e.onnx -d digits":                                    {says: "--out"},
		"-d digits -o x.arrow":                                   {says: "--encoder"},
		"-e e.onnx -o x.arrow":                                   {says: "--data"},
		"-e e.onnx -d digits -o x.arrow --channels 2":            {says: "1 (grey) or 3 (RGB)"},
		"-e e.onnx -d digits -o x.arrow --test-fraction 1":       {says: "--test-fraction"},
		"-e e.onnx -d digits -o x.arrow --resize crop":           {want: with(func(o *compress.Options) { o.Dataset.Resize = "crop" })},
		"-e e.onnx -d digits -o x.arrow --on-bad-image skip":     {want: with(func(o *compress.Options) { o.Dataset.OnBadImage = "skip" })},
		"-e e.onnx -d digits -o x.arrow --onnxruntime l.so":      {want: with(func(o *compress.Options) { o.Library = "l.so" })},
		"-e e.onnx -d digits -o x.arrow --label-file labels.csv": {want: with(func(o *compress.Options) { o.Dataset.Columns.LabelFile = "labels.csv" })},
	} {
		var o compressOptions
		a, _ := parse(t, o.add, line)
		got, err := o.resolve(a)
		asked(t, line, got, err, c.want, c.says)
	}
}

func TestClassifyFlags(t *testing.T) {
	images := dataset.Options{TestFraction: dataset.DefaultTestFraction}
	for line, c := range map[string]struct {
		want classify.Options
		says string
	}{
		"--train a --test b -o c": {want: classify.Options{Train: "a", Test: "b", Out: "c", Images: images, Seed: 46, Runtime: ort.Options{Device: "auto"}}},
		"--train a --test b -o c --head mlp -e e -d digits --baselines --seed 3 --run r --overwrite --device ref": {want: classify.Options{
			Train: "a", Test: "b", Out: "c", Head: "mlp", Encoder: "e", Data: "digits", Images: images, Baselines: true, Seed: 3, RunDir: "r", Overwrite: true,
			Runtime: ort.Options{Device: "cpu"}, // what the reference trains runs on the CPU
		}},
		"--train a -o c":                          {says: "--test"},
		"--train a --test b -o c --baselines":     {says: "add --data"},
		"--train a --test b -o c --resize pad":    {says: "--image-size"},
		"--train a --test b -o c --channels 2":    {says: "--channels"},
		"--train a --test b -o c --device cuda:1": {want: classify.Options{Train: "a", Test: "b", Out: "c", Images: images, Seed: 46, Runtime: ort.Options{Device: "cuda:1"}}},
	} {
		var o classifyOptions
		a, _ := parse(t, o.add, line)
		got, err := o.files(a)
		asked(t, line, got, err, c.want, c.says)
	}
	for line, c := range map[string]struct {
		want classify.MemberOptions
		says string
	}{
		"-o c": {want: classify.MemberOptions{Candidates: []string{"front"}, Images: images, Out: "c", Seed: 46, Runtime: ort.Options{Device: "auto"}}},
		"-o c -c knee -c g0-1 --head conv -d elsewhere": {want: classify.MemberOptions{Candidates: []string{"knee", "g0-1"}, Head: "conv", Data: "elsewhere", Images: images, Out: "c", Seed: 46, Runtime: ort.Options{Device: "auto"}}},
		"-o c --train a":        {says: "not with a RUN"},
		"-o c --baselines":      {says: "not with a RUN"},
		"-o c --image-size 8x8": {says: "it keeps the preprocessing"},
	} {
		var o classifyOptions
		a, f := parse(t, o.add, line)
		got, err := o.members(a, "RUN", f)
		asked(t, line, got, err, c.want, c.says)
	}
}

func TestExportFlags(t *testing.T) {
	path := t.TempDir()
	for line, want := range map[string]export.Options{
		"":                          {Out: filepath.Join(path, "export"), Overwrite: true, ORT: ort.Options{Device: "cpu"}}, // the run's own follow its weights
		"-o models":                 {Out: "models", ORT: ort.Options{Device: "cpu"}},
		"-o models --overwrite":     {Out: "models", Overwrite: true, ORT: ort.Options{Device: "cpu"}},
		"-o models --dtype float16": {Out: "models", DType: "float16", ORT: ort.Options{Device: "cpu"}},
		"-o m --onnxruntime l.so":   {Out: "m", ORT: ort.Options{Device: "cpu", Library: "l.so"}},
	} {
		var o exportOptions
		a, _ := parse(t, o.add, line)
		got, err := o.resolve(a, path)
		asked(t, line, got, err, want, "")
	}
}

// Each flag of search replaces what the preset has, and that alone.
func TestSearchFlags(t *testing.T) {
	for line, c := range map[string]struct {
		change func(*run.Config)
		says   string
	}{
		"":                  {change: func(*run.Config) {}},
		"--population 7":    {change: func(c *run.Config) { c.Population = 7 }},
		"--generations 2":   {change: func(c *run.Config) { c.Generations = 2 }},
		"--epochs 9":        {change: func(c *run.Config) { c.Epochs = 9 }},
		"--train-limit 500": {change: func(c *run.Config) { c.TrainLimit = 500 }},
		"--max-layers 3 --max-filters 8 --space paper": {change: func(c *run.Config) {
			c.Space.MaxBlocks, c.Space.MaxFilters = 3, 8
			c.Space = c.Space.Named(genome.Paper)
		}},
		"--algorithm nsga2":                {change: func(c *run.Config) { c.SetAlgorithm(algorithm.NSGA2) }},
		"--loss mse --seed 3":              {change: func(c *run.Config) { c.Loss, c.Seed = "mse", 3 }},
		"--objectives loss,bits":           {change: func(c *run.Config) { c.Objectives = []string{"loss", "bits"} }},
		"--reference 0.26,2.9":             {change: func(c *run.Config) { c.Reference = []float64{0.26, 2.9} }},
		"--finetune 0":                     {change: func(c *run.Config) { c.Finetune.Epochs = 0 }},
		"--finetune 0 --finetune-trial 0":  {change: func(c *run.Config) { c.Finetune.Epochs, c.Finetune.Trial = 0, 0 }},
		"--validation 0.2 --max-flops 100": {change: func(c *run.Config) { c.Validation, c.MaxFLOPs = 0.2, 100 }},
		"--bound loc<=2":                   {change: func(c *run.Config) { c.Bounds, _ = parseBounds([]string{"loc<=2"}) }},
		"--precision bf16":                 {change: func(c *run.Config) { c.Precision = "bf16" }},
		"--reference 0.26,x":               {says: `"x" is not a finite number`},
		"--bound loc":                      {says: "--bound"},
		"--algorithm best":                 {says: "algorithm"},
		"--population 0":                   {says: "population"},
		"--objectives loss":                {says: "objectives"},
	} {
		var o configFlags
		_, f := parse(t, func(_ *app, f *pflag.FlagSet) { o.add(f) }, line)
		got, err := o.build(f)
		want, presetErr := search.Preset("quick")
		if presetErr != nil {
			t.Fatal(presetErr)
		}
		if c.change != nil {
			c.change(&want)
		}
		asked(t, line, got, err, want, c.says)
	}
}

func TestAmountsOfMemory(t *testing.T) {
	for text, want := range map[string]int64{"512": 512, "4G": 4 << 30, "1.5KiB": 1536, "2mb": 2 << 20} {
		var n int64
		if err := (bytesFlag{&n}).Set(text); err != nil || n != want {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "4X", "G", "1e30T", "nan"} {
		var n int64
		if err := (bytesFlag{&n}).Set(text); err == nil {
			t.Errorf("%q is %d", text, n)
		}
	}
}

// Flags that other code names by words are flags.
func TestNamedFlagsExist(t *testing.T) {
	search, _, err := Command().Find([]string{"search"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range notEvaluated {
		if search.Flags().Lookup(name) == nil {
			t.Errorf("search has no flag --%s", name)
		}
	}
}
