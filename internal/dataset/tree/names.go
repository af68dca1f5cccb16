package tree

import (
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
var neutral = strings.Fields("set sets data dataset images image imgs img pics pictures photos split folder dir files jpg jpeg jpegs png crop crops cropped resized original orig raw")

// generic are names of single folders that hold all images and are no class.
var generic = strings.Fields("images image imgs img pics pictures photos data dataset jpg jpeg jpegs png jpegimages frames files input inputs unknown unlabeled unlabelled unsorted all")

// maskWords are those of folders of masks, which lie beside the images.
var maskWords = strings.Fields("mask masks groundtruth annotation annotations trimap trimaps label labels segmentation segmentations gt")

// words are the words of a name in lower case, divided at what is no letter and
// before capitals.
func words(name string) []string {
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

// splitOf is the split that a folder's name speaks of, "" for none, and what else
// the name says: seg_train is train with the rest seg.
func splitOf(name string) (split, rest string) {
	var others []string
	for _, w := range words(name) {
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

func isGeneric(name string) bool {
	return slices.Contains(generic, strings.ToLower(name))
}

func isMasks(name string) bool {
	w := words(name)
	return slices.ContainsFunc(w, func(s string) bool { return slices.Contains(maskWords, s) }) || strings.Contains(strings.Join(w, " "), "ground truth") ||
		slices.Contains([]string{"SegmentationClass", "SegmentationObject"}, name)
}

// maskEndings follow the name of an image in that of its mask.
var maskEndings = []string{"_mask", "-mask", "_seg", "_segmentation", "_gt", "_label", "_trimap"}

// maskOf is the name, without ending, of the image that a file of this name is a
// mask of, "" for none: img_mask.png, img_mask_1.png.
func maskOf(stem string) string {
	stem = strings.TrimRight(stem, "0123456789")
	stem = strings.TrimRight(stem, "_-")
	for _, e := range maskEndings {
		if base, found := strings.CutSuffix(stem, e); found && base != "" {
			return base
		}
	}
	return ""
}
