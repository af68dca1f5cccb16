package npy

import (
	"path"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// kind is what an array is by its name.
type kind int

const (
	unnamed kind = iota
	images
	labels
	others // masks, weights, boxes: named as what is neither
)

// The words in the names of arrays.
var (
	imageWords = strings.Fields("x images image imgs img data inputs input pixels frames pictures faces")
	labelWords = strings.Fields("y labels label targets target classes class")
	otherWords = strings.Fields("mask masks weights weight boxes bbox bboxes embeddings features latents mean std ids id index indices names paths")
)

// role is what an array holds by its name, and for which split: x_train, train_images,
// y, labels-test, arr_0 …
type role struct {
	split string
	is    kind
	exact bool // nothing else is in the name
}

// roleOf takes the name of an array, or, where that is arr_0 or the like, the one of its
// archive; the split may be in that or in a folder, too.
func roleOf(name string) role {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	dir, archive := path.Split(path.Dir(name))
	archive, inside := strings.CutSuffix(archive, ".npz")
	var r role
	switch {
	case inside && strings.HasPrefix(stem, "arr_") && ofWords(archive).is != unnamed:
		r = ofWords(archive)
	case stem == "arr_0":
		r = role{is: images, exact: true}
	case stem == "arr_1":
		r = role{is: labels, exact: true}
	default:
		r = ofWords(stem)
	}
	if inside && r.split == "" {
		r.split, _ = splitname.Of(archive)
	}
	for part := range strings.SplitSeq(dir+"/"+archive, "/") {
		if s, rest := splitname.Of(part); r.split == "" && rest == "" {
			r.split = s
		}
	}
	if r.split == "" {
		r.split = source.Whole
	}
	return r
}

// ofWords is the role in a name: train.npy are images.
func ofWords(name string) role {
	split, _ := splitname.Of(name)
	r := role{split: split, exact: true}
	named := 0
	for _, w := range splitname.Words(name) {
		s, _ := splitname.Of(w)
		k := wordKind(w)
		switch {
		case k == others:
			return role{split: split, is: others}
		case k != unnamed:
			named++
			r.is = max(r.is, k)
		case s == "":
			r.exact = false
		}
	}
	if named == 0 && split != "" && r.exact {
		r.is = images
	}
	return r
}

func wordKind(w string) kind {
	for k, words := range map[kind][]string{images: imageWords, labels: labelWords, others: otherWords} {
		if slices.Contains(words, w) {
			return k
		}
	}
	return unnamed
}
