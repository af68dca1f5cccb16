// Package splitname tells which split the name of a folder, a file or an array speaks
// of, and names the files of splits that are written. Names are taken apart into words, so that train2017, training_set, TrainImages
// and trainset all speak of train.
package splitname

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"moncae/internal/dataset/source"
)

// splitWords are the words that name splits. Where a set has a train and an eval,
// the latter is what it is tested on.
var splitWords = map[string]string{
	"train": source.Train, "training": source.Train, "trn": source.Train, "trainval": source.Train,
	"val": source.Val, "valid": source.Val, "validation": source.Val, "dev": source.Val,
	"test": source.Test, "testing": source.Test, "tst": source.Test, "eval": source.Test, "evaluation": source.Test, "holdout": source.Test,
}

// neutral are words that change nothing: train_images, training_set, TrainData.
var neutral = strings.Fields("set sets data dataset images image imgs img pics pictures photos split folder dir files jpg jpeg jpegs png crop crops cropped resized original orig raw zip tar gz tgz npz")

// Words are the words of a name in lower case, divided at what is no letter and
// before capitals.
func Words(name string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			flush()
			continue
		case unicode.IsUpper(r) && len(word) > 0 && unicode.IsLower(word[len(word)-1]):
			flush()
		}
		word = append(word, r)
	}
	flush()
	return out
}

// Of is the split that a name speaks of, "" for none, and what else
// the name says: seg_train is train with the rest seg.
func Of(name string) (split, rest string) {
	if name == "images_background" { // Omniglot's, beside images_evaluation
		return source.Train, ""
	}
	var others []string
	for _, w := range Words(name) {
		of := splitWords[w]
		for _, n := range neutral { // trainset, testdata
			if of == "" && strings.HasSuffix(w, n) {
				of = splitWords[strings.TrimSuffix(w, n)]
			}
		}
		switch {
		case of == "" && slices.Contains(neutral, w):
		case of == "":
			others = append(others, w)
		case split == "" || split == of:
			split = of
		case split == source.Train && of == source.Val: // train_val is VOC's trainval
		default:
			return "", ""
		}
	}
	if split == "" {
		return "", ""
	}
	return split, strings.Join(others, "_")
}

// MNIST is how the names of MNIST's files begin for a split; all goes as train.
func MNIST(split string) string {
	switch split {
	case source.Test:
		return "t10k"
	case source.Whole:
		return source.Train
	}
	return split
}

// Part names, without its ending, file i of so many of a split, as Hugging Face does;
// all goes as train.
func Part(split string, i, of int) string {
	if split == source.Whole {
		split = source.Train
	}
	return fmt.Sprintf("%s-%05d-of-%05d", split, i, of)
}

// Row names the file of a row's image.
func Row(i int) string { return fmt.Sprintf("%07d.png", i) }
