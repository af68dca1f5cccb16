package compress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// A shard that this machine can't make is refused in a line: the message names the path
// that isn't to be seen from here.
func TestShardsAreRefused(t *testing.T) {
	needORT(t)
	models := autoencoder(t, arch.Shape{C: 1, H: 28, W: 28})
	whole := shardSpec{
		Moncae: version.Number(), Provider: ort.CPU, Encoder: filepath.Join(models, "encoder.onnx"),
		Data: dataset.Default, Dataset: dataset.Options{Split: "test", Limit: 300}, Rows: 300, ShardRows: 100, Batch: 64, Out: t.TempDir(),
	}
	gone := filepath.Join(t.TempDir(), "gone")
	for want, change := range map[string]func(*shardSpec){
		"a task of moncae v0.0.1; this worker is": func(s *shardSpec) { s.Moncae = "v0.0.1" },
		gone + "/encoder.onnx":                    func(s *shardSpec) { s.Encoder = gone + "/encoder.onnx" },
		gone + "/data":                            func(s *shardSpec) { s.Data = gone + "/data" },
		"has changed: its SHA-256 is":             func(s *shardSpec) { s.EncoderHash = "0123456789abcdef" },
		"number 3 of 100 rows each":               func(s *shardSpec) { s.Number = 3 },
	} {
		spec := whole
		change(&spec)
		b, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		task := fmt.Sprintf(`{"task":{"id":1,"kind":%q,"key":%q,"spec":%s,"with":{"cores":1}}}`+"\n", kindShard, worker.Key(kindShard, b), b)
		var out bytes.Buffer
		err = worker.Server{Kinds: Site{Device: "cpu"}.Kinds()}.Serve(context.Background(), strings.NewReader(task), &out)
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v (kind %d), want %q", err, fault.Of(err), want)
		}
	}
}
