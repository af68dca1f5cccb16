package compress

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/latent"
)

// npyFloats reads a .npy file of float32 with the given shape.
func npyFloats(t *testing.T, path string, shape []int) []float32 {
	t.Helper()
	b := npyContent(t, path, "<f4", shape)
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

func npyContent(t *testing.T, path, descr string, shape []int) []byte {
	t.Helper()
	b := fileBytes(t, path)
	n := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	want := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d, %d, %d), }", descr, shape[0], shape[1], shape[2], shape[3])
	if n%64 != 0 || strings.TrimRight(string(b[10:n]), " \n") != want {
		t.Fatalf("header %q, want %q", b[10:n], want)
	}
	return b[n:]
}

func TestEveryWayBackGivesTheSamePixels(t *testing.T) {
	needORT(t)
	models, data, dir := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8}), photos(t, 21), t.TempDir()
	o := Options{Encoder: filepath.Join(models, "encoder.onnx"), Data: data, Dataset: dataset.Options{Split: "all"}, Out: filepath.Join(dir, "x.arrow"), Batch: 8, Device: "cpu"}
	mustRun(t, o)
	d := DecompressOptions{Decoder: filepath.Join(models, "decoder.onnx"), In: o.Out, Batch: 8, Device: "cpu", Workers: 2}
	back := func(name string, float bool) string {
		d.Out, d.Float = filepath.Join(dir, name), float
		rep, err := Decompress(context.Background(), d, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rep.Rows != 21 || rep.Image != (arch.Shape{C: 3, H: 8, W: 8}) || rep.BytesOut < 21*64 {
			t.Errorf("%s: %+v", name, rep)
		}
		return d.Out
	}
	floats := npyFloats(t, back("f.npy", true), []int{21, 3, 8, 8})
	pixels := npyContent(t, back("u.npy", false), "|u1", []int{21, 3, 8, 8})
	want := make([]uint8, len(floats))
	latent.ToPixels(want, floats)
	if !bytes.Equal(pixels, want) {
		t.Error("bytes are not the rounded floats")
	}
	comparePNGs(t, back("png", false), want)
	compareArrow(t, back("u.arrow", false), want)
	back("f.arrow", true)
}

func comparePNGs(t *testing.T, dir string, want []uint8) {
	t.Helper()
	for i := range 21 { // cats first: row r is cat 2r, then dogs
		class, number := "cat", 2*i
		if i > 10 {
			class, number = "dog", 2*(i-11)+1
		}
		f, err := os.Open(filepath.Join(dir, class, fmt.Sprintf("%03d.png", number)))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		for k := range 64 {
			r, g, b, _ := m.At(k%8, k/8).RGBA()
			px := want[i*192:]
			if uint8(r>>8) != px[k] || uint8(g>>8) != px[64+k] || uint8(b>>8) != px[128+k] {
				t.Fatalf("row %d, pixel %d: %d %d %d, want %d %d %d", i, k, r>>8, g>>8, b>>8, px[k], px[64+k], px[128+k])
			}
		}
	}
}

func compareArrow(t *testing.T, path string, want []uint8) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := ipc.NewFileReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint8
	for i := range r.NumRecords() {
		rec, err := r.Record(i)
		if err != nil {
			t.Fatal(err)
		}
		if rec.ColumnName(1) != "image" {
			t.Fatal(rec.Schema())
		}
		list := rec.Column(1).(array.ExtensionArray).Storage().(*array.FixedSizeList)
		got = append(got, list.ListValues().(*array.Uint8).Uint8Values()...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the column image differs")
	}
}

func TestDecompressRefuses(t *testing.T) {
	needORT(t)
	models, other := autoencoder(t, arch.Shape{C: 3, H: 8, W: 8}), autoencoder(t, arch.Shape{C: 3, H: 8, W: 10})
	dir, data := t.TempDir(), photos(t, 6)
	in := filepath.Join(dir, "x.arrow")
	o := Options{Encoder: filepath.Join(models, "encoder.onnx"), Data: data, Dataset: dataset.Options{Split: "all"}, Out: in, Device: "cpu"}
	mustRun(t, o)
	good := DecompressOptions{Decoder: filepath.Join(models, "decoder.onnx"), In: in, Out: filepath.Join(dir, "out"), Device: "cpu"}
	for name, c := range map[string]struct {
		change func(*DecompressOptions)
		kind   fault.Kind
		want   string
	}{
		"another decoder":    {func(o *DecompressOptions) { o.Decoder = filepath.Join(other, "decoder.onnx") }, fault.Usage, "--force"},
		"of another latent":  {func(o *DecompressOptions) { o.Decoder, o.Force = filepath.Join(other, "decoder.onnx"), true }, fault.Usage, "takes latents"},
		"no latents":         {func(o *DecompressOptions) { o.In = filepath.Join(dir, "none") }, fault.Usage, "none"},
		"not latents":        {func(o *DecompressOptions) { o.In = filepath.Join(models, "encoder.onnx") }, fault.Damaged, "encoder.onnx"},
		"a full folder":      {func(o *DecompressOptions) { o.Out = data }, fault.Usage, "replaced with --overwrite only"},
		"PNG of floats":      {func(o *DecompressOptions) { o.Float = true }, fault.Usage, "PNG"},
		"a file as a folder": {func(o *DecompressOptions) { o.Out = in[:len(in)-6] + ".npy/x" }, fault.Usage, "no folder"},
	} {
		d := good
		c.change(&d)
		if _, err := Decompress(context.Background(), d, nil); fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

// Latents come from anywhere: a path in them must not lead out of the folder.
func TestPathsStayInTheFolder(t *testing.T) {
	needORT(t)
	models, dir := autoencoder(t, arch.Shape{C: 1, H: 2, W: 2}), t.TempDir()
	for _, path := range []string{"../x.png", "/tmp/x", "a/../../x"} {
		m := latent.Meta{Shape: arch.Shape{C: 2, H: 1, W: 1}, Paths: true}
		o, err := latent.Options{}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		in, given := filepath.Join(dir, "x.arrow"), false
		_, err = latent.WriteFile(latent.Disk{}, in, m, o, func(int) (latent.Rows, error) {
			if given {
				return latent.Rows{}, io.EOF
			}
			given = true
			return latent.Rows{IDs: []int64{1}, Latents: []float32{1, 2}, Paths: []string{path}}, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := DecompressOptions{Decoder: filepath.Join(models, "decoder.onnx"), In: in, Out: filepath.Join(dir, "out"), Device: "cpu"}
		if _, err := Decompress(context.Background(), d, nil); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), "out of the folder") {
			t.Errorf("%s: %v", path, err)
		}
		if err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
			if p != dir && p != in {
				t.Errorf("left behind: %s", p)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
