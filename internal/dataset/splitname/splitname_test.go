package splitname

import "testing"

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"train": "train ", "train2017": "train ", "training_set": "train ", "TrainImages": "train ", "seg_train": "train seg", "testing": "test ",
		"valid": "val ", "dev": "val ", "eval": "test ", "trainval": "train ", "train_val": "train ", "train_test": " ", "trainer": " ", "plane": " ", "train.zip": "train ",
	} {
		split, rest := Of(name)
		if got := split + " " + rest; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOfPath(t *testing.T) {
	for name, want := range map[string]string{
		"train-0.parquet": "train", "data/test-0.parquet": "test", "validation/data-0.arrow": "val", "x/part-1.parquet": "", "trainer.parquet": "",
		"data/train-00000-of-00002-1test2dev.parquet": "train", "mnist_test.parquet": "test", "imagenet-train-0001.tar/a/0.jpg": "train",
		"default/partial/train/0000.parquet": "train", "sign_mnist_train/sign_mnist_train.csv": "train", "crash test/1.parquet": "", "train-shards/0.tar": "train",
	} {
		if got := OfPath(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
