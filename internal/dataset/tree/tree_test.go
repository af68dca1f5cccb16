package tree

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"moncae/internal/dataset/source"
)

// list makes files of the given paths, in order.
func list(paths string) []source.File {
	var out []source.File
	for _, p := range strings.Fields(paths) {
		out = append(out, source.File{Path: p, Stored: 10, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(p)), nil }})
	}
	slices.SortFunc(out, func(a, b source.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// describe writes a collection on one line: split: path=label …
func describe(t *testing.T, c *source.Collection) string {
	var parts []string
	for _, s := range c.Splits {
		part := s.Name + ":"
		st, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		var labels []int32
		if s.Labels != nil {
			if labels, err = s.Labels(); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; ; i++ {
			var it source.Item
			if err := st.Next(&it); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if labels != nil && labels[i] != it.Label {
				t.Errorf("label %d is %d, the item says %d", i, labels[i], it.Label)
			}
			part += fmt.Sprintf(" %s=%d", it.Path, it.Label)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ paths, want, classes string }{
		{"b.png a.png", "all: a.png=-1 b.png=-1", ""},
		{"cat/1.jpg dog/1.jpg cat/x.txt", "all: cat/1.jpg=0 dog/1.jpg=1", "cat dog"},
		{"cat/1.jpg cat/2.jpg", "all: cat/1.jpg=-1 cat/2.jpg=-1", ""},
		{"pets/cat/1.jpg pets/dog/deep/1.jpg", "all: pets/cat/1.jpg=0 pets/dog/deep/1.jpg=1", "cat dog"},
		{"train/b/1.png train/c/1.png test/a/1.png", "train: train/b/1.png=0 train/c/1.png=1; test: test/a/1.png=-1", "b c"},
		{"train/good/1.png test/broken/1.png test/good/1.png", "train: train/good/1.png=0; test: test/broken/1.png=1 test/good/1.png=0", "good broken"},
		{"train/a/1.png train/b/1.png test1/1.png", "train: train/a/1.png=0 train/b/1.png=1; test: test1/1.png=-1", "a b"},
		{"training_set/cat/1.png test_set/cat/1.png", "train: training_set/cat/1.png=0; test: test_set/cat/1.png=0", "cat"},
		{"seg_train/seg_train/sea/1.png seg_test/seg_test/sea/1.png seg_pred/seg_pred/1.png", "train: seg_train/seg_train/sea/1.png=0; test: seg_test/seg_test/sea/1.png=0", "sea"},
		{"train_images/1.png test_images/1.png", "train: train_images/1.png=-1; test: test_images/1.png=-1", ""},
		{"train2017/1.png val2017/1.png", "train: train2017/1.png=-1; val: val2017/1.png=-1", ""},
		{"train/a/1.png eval/a/1.png", "train: train/a/1.png=0; test: eval/a/1.png=0", "a"},
		{"trainset/a/1.png valset/a/1.png testset/a/1.png", "train: trainset/a/1.png=0; val: valset/a/1.png=0; test: testset/a/1.png=0", "a"},
		{"TrainImages/a/1.png TestImages/a/1.png", "train: TrainImages/a/1.png=0; test: TestImages/a/1.png=0", "a"},
		{"train/images/1.png val/images/1.png", "train: train/images/1.png=-1; val: val/images/1.png=-1", ""},
		{"train/a/1.png train/b/1.png test/unknown/1.png", "train: train/a/1.png=0 train/b/1.png=1; test: test/unknown/1.png=-1", "a b"},
		{"train/a/1.png PublicTest/a/1.png PrivateTest/a/1.png", "train: train/a/1.png=0; test: PrivateTest/a/1.png=0 PublicTest/a/1.png=0", "a"},
		{"steam_train/1.png bullet_train/1.png", "all: bullet_train/1.png=0 steam_train/1.png=1", "bullet_train steam_train"},
		{"steam_train/1.png test_tube/1.png", "all: steam_train/1.png=0 test_tube/1.png=1", "steam_train test_tube"},
		{"train/1.png test_tube/1.png cat/1.png", "all: cat/1.png=0 test_tube/1.png=1 train/1.png=2", "cat test_tube train"},
		{"train_cats/1.png train_dogs/1.png test_cats/1.png test_dogs/1.png", "train: train_cats/1.png=0 train_dogs/1.png=1; test: test_cats/1.png=0 test_dogs/1.png=1", "cats dogs"},
		{"train1/a/1.png train2/b/1.png", "train: train1/a/1.png=0 train2/b/1.png=1", "a b"},
		{"cat/train/1.png cat/test/1.png dog/train/1.png dog/test/1.png", "train: cat/train/1.png=0 dog/train/1.png=1; test: cat/test/1.png=0 dog/test/1.png=1", "cat dog"},
		{"bottle/train/good/1.png bottle/test/broken/1.png bottle/ground_truth/broken/1.png", "train: bottle/train/good/1.png=0; test: bottle/test/broken/1.png=-1", "good"},
		{"images/1.png masks/1.png", "all: images/1.png=-1", ""},
		{"images/a/1.png images/b/1.png annotations/trimaps/1.png", "all: images/a/1.png=0 images/b/1.png=1", "a b"},
		{"train/1.png train_masks/1.png test/1.png", "train: train/1.png=-1; test: test/1.png=-1", ""},
		{"images/1.png images/2.png thumbnails/1.png thumbnails/2.png", "all: images/1.png=-1 images/2.png=-1", ""},
		{"images/a/1.png images/b/1.png thumbs/a/1.png previews/b/1.png", "all: images/a/1.png=0 images/b/1.png=1", "a b"},
		{"images1024x1024/00000/1.png thumbnails128x128/00000/1.png", "all: images1024x1024/00000/1.png=-1", ""},
		{"train/a/1.png train/b/1.png test/a/1.png thumbs/a/1.png", "train: train/a/1.png=0 train/b/1.png=1; test: test/a/1.png=0", "a b"},
		{"images/1.png thumbs_up/1.png", "all: images/1.png=0 thumbs_up/1.png=1", "images thumbs_up"},
		{"mask/1.png no_mask/1.png", "all: mask/1.png=0 no_mask/1.png=1", "mask no_mask"},
		{"a/1.png a/1_mask.png b/1.png b/1_mask_1.png", "all: a/1.png=0 b/1.png=1", "a b"},
		{"images/train/a/1.png images/val/a/1.png labels/train/1.txt", "train: images/train/a/1.png=0; val: images/val/a/1.png=0", "a"},
		{"images/1.png images/2.png", "all: images/1.png=-1 images/2.png=-1", ""},
		{"a/1.png b/1.avif c/1.png d/x.txt", "all: a/1.png=0 c/1.png=2", "a b c"},
		{"x/y/Train/a/1.png x/y/Test/a/1.png", "train: x/y/Train/a/1.png=0; test: x/y/Test/a/1.png=0", "a"},
		{"train/a/1.png test/1.png val/a/1.png", "train: train/a/1.png=0; val: val/a/1.png=0; test: test/1.png=-1", "a"},
		{"train/1.png", "train: train/1.png=-1", ""},
		{"train/a/1.png test/a/1.png samples/b/1.png", "train: train/a/1.png=0; test: test/a/1.png=0", "a"},
		{"train/1.png plane/1.png", "all: plane/1.png=0 train/1.png=1", "plane train"}, // means of transport
		{"10/1.png 9/1.png", "all: 10/1.png=0 9/1.png=1", "10 9"},
	} {
		col, err := Collect("data", list(c.paths), source.Columns{})
		if err != nil {
			t.Errorf("%s: %v", c.paths, err)
			continue
		}
		if got := describe(t, col); got != c.want || strings.Join(col.Classes, " ") != c.classes {
			t.Errorf("%s: %s (%v), want %s (%s)", c.paths, got, col.Classes, c.want, c.classes)
		}
	}
}

// What may be meant otherwise than it was read is noted.
func TestUnderstood(t *testing.T) {
	voc := list("JPEGImages/1.png JPEGImages/2.png JPEGImages/3.png JPEGImages/4.png JPEGImages/5.png JPEGImages/6.png")
	text := "1 -1\n2  1\n3  0\n4 -1\n5 -1\n6  1\n"
	voc = append(voc, source.File{Path: "Main/cat_train.txt", Size: int64(len(text)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	for _, c := range []struct {
		files []source.File
		note  string
		left  source.Omissions
	}{
		{list("cat/1.png dog/1.png thumbs/1.png"), "thumbs is read as a class, though its name speaks of smaller copies; where it holds them, move it away", nil},
		{voc, "Main/cat_train.txt is read as a list of Pascal VOC: class 1 are the images with cat, -1 those without, 0 (where there is one) the difficult ones", nil},
		{list("images/1.png images/2.png thumbs/1.png"), "", source.Omissions{{Reason: areThumbnails, Count: 1, Example: "thumbs/1.png"}}},
	} {
		col, err := Collect("data", c.files, source.Columns{})
		if err != nil {
			t.Fatal(err)
		}
		if c.note != "" && !slices.Contains(col.Notes, c.note) || c.note == "" && col.Notes != nil || !slices.Equal(col.LeftOut, c.left) {
			t.Errorf("notes %q, want %q; left out %v, want %v", col.Notes, c.note, col.LeftOut, c.left)
		}
	}
}

func TestMixed(t *testing.T) {
	_, err := Collect("data", list("cat/1.jpg cover.jpg"), source.Columns{})
	if err == nil || !strings.Contains(err.Error(), "cat/1.jpg") || !strings.Contains(err.Error(), "cover.jpg") {
		t.Errorf("error is %v", err)
	}
}

func TestCounts(t *testing.T) {
	c, err := Collect("data", list("train/a/1.png test/a/1.png extra/b/1.png train/notes.txt labels.csv"), source.Columns{})
	if err != nil {
		t.Fatal(err)
	}
	want := source.Omissions{{Reason: "images beside the folders of the splits", Count: 1, Example: "extra/b/1.png"},
		{Reason: "files ending in .csv", Count: 1, Example: "labels.csv"}, {Reason: "files ending in .txt", Count: 1, Example: "train/notes.txt"}}
	if !slices.Equal(c.LeftOut, want) || c.Splits[0].Bytes() != 10 || c.Splits[0].Folder != "train" {
		t.Errorf("%v left out, %d bytes in %s", c.LeftOut, c.Splits[0].Bytes(), c.Splits[0].Folder)
	}
	if c, err := Collect("data", list("a.txt b.csv"), source.Columns{}); c != nil || err != nil {
		t.Errorf("no images: %v, %v", c, err)
	}
}
