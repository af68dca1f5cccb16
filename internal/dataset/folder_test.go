package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/fault"
)

// pngOf is an image of h×w pixels of one value; grey, or red with that value.
func pngOf(t testing.TB, h, w int, v uint8, colour bool) []byte {
	var m image.Image = &image.Gray{Pix: bytes.Repeat([]byte{v}, h*w), Stride: w, Rect: image.Rect(0, 0, w, h)}
	if colour {
		rgb := image.NewRGBA(m.Bounds())
		for i := range h * w {
			rgb.Set(i%w, i/w, color.RGBA{R: v, A: 255})
		}
		m = rgb
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder writes files, and returns where.
func folder(t testing.TB, content map[string][]byte) string {
	dir := filepath.Join(t.TempDir(), "photos")
	for name, data := range content {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zipOf(t testing.TB, content map[string][]byte) string {
	name := filepath.Join(t.TempDir(), "photos.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for n, data := range content {
		w, err := z.Create("wrapped/" + n)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

// twenty are 20 grey 4×3 images in classes a and b; image i has the value i.
func twenty(t testing.TB) map[string][]byte {
	content := map[string][]byte{"a/Thumbs.db": []byte("x"), "b/notes.txt": []byte("x")}
	for i := range 20 {
		content[fmt.Sprintf("%c/%02d.png", 'a'+i/10, i)] = pngOf(t, 4, 3, uint8(i), false)
	}
	return content
}

// wantFault checks that err is the user's, and says all of the parts.
func wantFault(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if err == nil || fault.Of(err) != fault.Usage {
		t.Errorf("%s: error is %v, a fault of the user's is needed", what, err)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%s: error is %q, should contain %q", what, err, p)
		}
	}
}

func TestFolderAndZipAgree(t *testing.T) {
	a := load(t, folder(t, twenty(t)), Options{Split: "all"})
	b := load(t, zipOf(t, twenty(t)), Options{Split: "all", Workers: 3})
	if a.Rows() != 20 || a.Shape.String() != "1×4×3" || strings.Join(a.Classes, "") != "ab" || a.Info.Ignored != 2 {
		t.Fatalf("%d images of %v in %v, %d ignored", a.Rows(), a.Shape, a.Classes, a.Info.Ignored)
	}
	for i := range 20 {
		if a.Image(i)[5] != uint8(i) || a.Labels[i] != int32(i/10) || a.ID(i) != int64(i) {
			t.Errorf("image %d: value %d, label %d, id %d", i, a.Image(i)[5], a.Labels[i], a.ID(i))
		}
	}
	if a.Paths[3] != "a/03.png" || b.Paths[3] != "wrapped/a/03.png" {
		t.Errorf("paths are %s and %s", a.Paths[3], b.Paths[3])
	}
	if a.Info.Fingerprint != b.Info.Fingerprint || a.Info.Fingerprint == "" {
		t.Errorf("fingerprints are %s and %s", a.Info.Fingerprint, b.Info.Fingerprint)
	}
}

// TestHeldOut: without a test split, train and test share no image, together
// they are all, and each class gives its part.
func TestHeldOut(t *testing.T) {
	dir := folder(t, twenty(t))
	train, test := load(t, dir, Options{TestFraction: 0.2}), load(t, dir, Options{Split: "test", TestFraction: 0.2})
	paths := slices.Concat(train.Paths, test.Paths)
	slices.Sort(paths)
	if train.Rows() != 16 || test.Rows() != 4 || len(slices.Compact(paths)) != 20 {
		t.Errorf("%d and %d rows, %d paths", train.Rows(), test.Rows(), len(paths))
	}
	if per := StatsOf(test, nil).PerClass; per[0] != 2 || per[1] != 2 {
		t.Errorf("the test split has %v", per)
	}
	if train.IDs != nil || !train.Info.Splits[1].Derived || train.Info.Splits[1].Rows != 4 {
		t.Errorf("ids %v, splits %+v", train.IDs, train.Info.Splits)
	}
}

func TestSplitsOfTheirOwn(t *testing.T) {
	content := map[string][]byte{}
	for n, data := range twenty(t) {
		content["train/"+n] = data
	}
	content["val/a/1.png"] = pngOf(t, 4, 3, 200, false)
	dir := folder(t, content)
	if s := load(t, dir, Options{}); s.Rows() != 20 {
		t.Errorf("%d training images", s.Rows())
	}
	if s := load(t, dir, Options{Split: "test"}); s.Rows() != 1 || s.Image(0)[0] != 200 {
		t.Error("val does not stand in for test")
	}
	all := load(t, dir, Options{Split: "all"})
	if all.Rows() != 21 || all.Splits[20] != "val" || all.ID(20) != 0 || all.Splits[0] != "train" {
		t.Errorf("%d rows, the last of %v with id %v", all.Rows(), all.Splits, all.IDs)
	}
}

// TestTrainAndVal: val can validate where test is left to test on; rows keep the ids
// of their splits.
func TestTrainAndVal(t *testing.T) {
	content := map[string][]byte{"val/b/1.png": pngOf(t, 4, 3, 200, false), "val/a/1.png": pngOf(t, 4, 3, 201, false)}
	for n, data := range twenty(t) {
		content["train/"+n] = data
	}
	_, err := Load(t.Context(), folder(t, content), Options{Split: "train+val"})
	wantFault(t, "without test", err, "train, val and test", "there is train, val")
	content["test/a/1.png"] = pngOf(t, 4, 3, 202, false)
	s := load(t, folder(t, content), Options{Split: "train+val"})
	rest, own, err := Own(s, "val")
	if err != nil || len(rest) != 20 || rest[19] != 19 || !slices.Equal(own, []int32{20, 21}) {
		t.Fatalf("rows %v and %v, %v", rest, own, err)
	}
	if s.Image(20)[0] != 201 || s.Image(21)[0] != 200 || s.ID(20) != 0 || s.ID(21) != 1 || s.Split(19) != "train" || s.Split(20) != "val" {
		t.Errorf("ids %v, splits %v", s.IDs, s.Splits)
	}
	s.Labels[0], s.Labels[21] = -1, -1
	if some := s.Labelled(); some.Rows() != 20 || some.Image(0)[0] != 1 || some.ID(0) != 1 || some.Split(19) != "val" || some.Labels[19] != 0 || some.Paths[19] != "val/a/1.png" || s.Rows() != 22 {
		t.Errorf("%d labelled rows of %v, the last %q", some.Rows(), some.Labels, some.Paths)
	}
	_, _, err = Own(s, "test")
	wantFault(t, "a split that isn't there", err, "0 of the images", "split test")
}

func TestLimitIsStratified(t *testing.T) {
	s := load(t, folder(t, twenty(t)), Options{Split: "all", Limit: 6})
	if per := StatsOf(s, nil).PerClass; s.Rows() != 6 || per[0] != 3 || per[1] != 3 {
		t.Fatalf("%d rows, %v", s.Rows(), per)
	}
	for i := range s.Rows() {
		if int64(s.Image(i)[0]) != s.ID(i) {
			t.Errorf("row %d has id %d and is image %d", i, s.ID(i), s.Image(i)[0])
		}
	}
}

func TestBadImages(t *testing.T) {
	content := twenty(t)
	content["a/03.png"] = content["a/03.png"][:40] // its header is whole
	dir := folder(t, content)
	_, err := Load(context.Background(), dir, Options{Split: "all"})
	wantFault(t, "cut", err, filepath.Join(dir, "a", "03.png"), "--on-bad-image skip")
	content["b/15.png"] = []byte("no image")
	dir = folder(t, content)
	if err := os.Symlink("nowhere", filepath.Join(dir, "b", "99.png")); err != nil {
		t.Skip("no links here")
	}
	_, err = Load(context.Background(), dir, Options{Split: "all"})
	wantFault(t, "foreign", err, filepath.Join(dir, "b", "15.png"), "it is text, not an image")
	s := load(t, dir, Options{Split: "all", OnBadImage: "skip"})
	if s.Rows() != 18 || len(s.Skipped) != 3 || s.Skipped[0].ID != 3 || s.Skipped[1].Path != "b/15.png" || s.Skipped[2].ID != 20 {
		t.Fatalf("%d rows, skipped %+v", s.Rows(), s.Skipped)
	}
	for i := range s.Rows() {
		if int64(s.Image(i)[0]) != s.ID(i) {
			t.Errorf("row %d has id %d and is image %d", i, s.ID(i), s.Image(i)[0])
		}
	}
	_, err = Load(context.Background(), folder(t, map[string][]byte{"a.png": nil, "b.png": nil}), Options{Split: "all", OnBadImage: "skip"})
	wantFault(t, "nothing left", err, "none of the images")
}

func TestSizesDiffer(t *testing.T) {
	content := twenty(t)
	content["b/12.png"] = pngOf(t, 5, 3, 9, false)
	dir := folder(t, content)
	_, err := Load(context.Background(), dir, Options{Split: "all"})
	wantFault(t, "differ", err, "00.png is 4×3", "12.png is 5×3", "--image-size 4x3")
	s := load(t, dir, Options{Split: "all", ImageSize: &[2]int{8, 6}, Resize: "pad"})
	if s.Shape.String() != "1×8×6" || s.Info.Preprocess != (Preprocess{ImageSize: [2]int{8, 6}, Resize: "pad", Channels: 1, Background: 255}) {
		t.Errorf("shape %v, preprocessing %+v", s.Shape, s.Info.Preprocess)
	}
	// What a model was made for is not scaled behind the user's back.
	_, err = Load(context.Background(), dir, Preprocess{ImageSize: [2]int{4, 3}, Resize: "none", Channels: 1}.Apply(Options{Split: "all"}))
	wantFault(t, "none", err, "12.png is 5×3", "4×3 are needed", "--image-size 4x3")
}

func TestChannels(t *testing.T) {
	content := twenty(t)
	content["b/12.png"] = pngOf(t, 4, 3, 100, true)
	dir := folder(t, content)
	if s := load(t, dir, Options{Split: "all"}); s.Shape.C != 3 || s.Image(12)[0] != 100 || s.Image(12)[12] != 0 || s.Image(3)[35] != 3 {
		t.Errorf("one colour image gives %v", s.Shape)
	}
	if s := load(t, dir, Options{Split: "all", Channels: 1}); s.Shape.C != 1 || s.Image(12)[0] != 30 { // 0.299·100
		t.Errorf("as grey: %v, value %d", s.Shape, s.Image(12)[0])
	}
}

func TestUsage(t *testing.T) {
	empty := t.TempDir()
	text := folder(t, map[string][]byte{"a.txt": []byte("x"), "b.csv": nil})
	one := folder(t, map[string][]byte{"a.png": pngOf(t, 2, 2, 1, false)})
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"mnits", Options{}, "known are mnist-mini, mnist"},
		{"./nowhere", Options{}, "no such file"},
		{"mnist", Options{DataDir: empty}, "moncae data get mnist"},
		{empty, Options{}, "is empty"},
		{text, Options{}, "none of its 2 files (a.txt, …)"},
		{filepath.Join(text, "a.txt"), Options{}, "no known format"},
		{filepath.Join(one, "a.png"), Options{}, "single image"},
		{one, Options{}, "it holds one image"},
		{one, Options{Split: "val"}, `no split "val"; there is train, test (set apart from it), all`},
		{Default, Options{Split: "dev"}, `split "dev"`},
		{Default, Options{Resize: "zoom"}, `resize "zoom"`},
		{Default, Options{Resize: "crop"}, "--image-size"},
		{Default, Options{ImageSize: &[2]int{0, 3}}, "0×3"},
		{Default, Options{Channels: 2}, "channels 2"},
		{Default, Options{OnBadImage: "cry"}, `"cry"`},
		{Default, Options{Limit: -1}, "limit -1"},
		{Default, Options{TestFraction: 1}, "test fraction 1"},
		{Default, Options{ImageSize: &[2]int{32, 32}, Resize: "none"}, "28×28 (height×width), 32×32 are needed"},
	} {
		t.Setenv("MONCAE_DATA", "")
		t.Setenv("XDG_CACHE_HOME", empty)
		_, err := Load(context.Background(), c.name, c.o)
		wantFault(t, fmt.Sprintf("%s %+v", c.name, c.o), err, c.want)
	}
}

// TestStream reads in uneven batches, and stops in the middle.
func TestStream(t *testing.T) {
	whole := load(t, Default, Options{})
	src, err := Open(context.Background(), Default, Options{Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	row := int64(0)
	for n := 1; ; n = n*3%701 + 1 {
		err := src.Next(&b, n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at := row * 784
		if !bytes.Equal(b.Images, whole.Images[at:at+int64(len(b.Images))]) || len(b.Images) != 784*len(b.Records) || b.Records[0].ID != row {
			t.Fatalf("the batch at %d differs", row)
		}
		row += int64(len(b.Records))
	}
	if row != 5000 || src.Info().Fingerprint != whole.Info.Fingerprint {
		t.Errorf("%d rows", row)
	}
	if err := errors.Join(src.Close(), src.Close()); err != nil {
		t.Error(err)
	}
	if src, err = Open(context.Background(), Default, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := src.Next(&b, 10); err != nil {
		t.Error(err)
	}
	_ = src.Close()
	if err := src.Next(&b, 10); err == nil {
		t.Error("a closed source goes on")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	src, err := Open(ctx, Default, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	var b Batch
	if err := src.Next(&b, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		err = src.Next(&b, 64)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
