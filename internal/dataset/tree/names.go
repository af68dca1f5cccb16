package tree

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/dataset/splitname"
)

// generic are names of single folders that hold all images and are no class.
var generic = strings.Fields("images image imgs img pics pictures photos data dataset jpg jpeg jpegs png jpegimages frames files input inputs unknown unlabeled unlabelled unsorted all bmp tif tiff")

// maskWords are those of folders of masks, which lie beside the images.
var maskWords = strings.Fields("msk mask masks groundtruth annotation annotations trimap trimaps label labels segmentation segmentations gt")

func isGeneric(name string) bool {
	return slices.Contains(generic, strings.ToLower(name))
}

// partWords are those of folders that divide a set by nothing but number: images_001,
// part_2, 00001.tar.
var partWords = strings.Fields("part parts batch batches chunk chunks shard shards fold folds vol volume disk archive image images img imgs pictures photos data dataset set subset folder tar")

// areParts tells whether names are the same but for a number, and speak of parts.
func areParts(names []string) bool {
	if len(names) < 2 {
		return false
	}
	first := splitname.Words(names[0])
	return slices.ContainsFunc(first, func(w string) bool { return slices.Contains(partWords, w) }) &&
		!slices.ContainsFunc(names, func(n string) bool {
			return !strings.ContainsAny(n, "0123456789") || !slices.Equal(splitname.Words(n), first)
		})
}

// areThousands tells whether folders beside each other hold a thousand images each, by
// their numbers: 00001/img00001234.png of StyleGAN, 01000/01234.png of FFHQ.
func areThousands(paths []string, prefix string, names []string) bool {
	const digits, each = 5, 1000
	if len(names) < 2 {
		return false
	}
	for _, p := range paths {
		folder, name, _ := strings.Cut(p[len(prefix):], "/")
		stem := strings.TrimSuffix(name, path.Ext(name))
		begin := len(strings.TrimRight(stem, "0123456789"))
		f, err := strconv.Atoi(folder)
		n, nerr := strconv.Atoi(stem[begin:])
		if len(folder) != digits || err != nil || nerr != nil || n/each != f && n-n%each != f {
			return false
		}
	}
	return true
}

func isMasks(name string) bool {
	w := splitname.Words(name)
	return slices.ContainsFunc(w, func(s string) bool { return slices.Contains(maskWords, s) }) || strings.Contains(strings.Join(w, " "), "ground truth") ||
		slices.Contains([]string{"SegmentationClass", "SegmentationObject"}, name)
}

// thumbnailWords are those of folders of smaller copies of images.
var thumbnailWords = strings.Fields("thumbnail thumbnails thumb thumbs preview previews")

// isThumbnails tells whether a name speaks of smaller copies and of nothing else:
// thumbnails128x128, image_thumbs, but not thumbs_up.
func isThumbnails(name string) bool {
	w := splitname.Words(name)
	return slices.ContainsFunc(w, func(s string) bool { return slices.Contains(thumbnailWords, s) }) &&
		!slices.ContainsFunc(w, func(s string) bool { return !slices.Contains(thumbnailWords, s) && !isGeneric(s) && s != "x" })
}

// maskEndings follow the name of an image in that of its mask.
var maskEndings = []string{"_mask", "-mask", ".mask", "_masks", "_seg", "-seg", ".seg", "_segmentation", "_gt", "-gt", ".gt", "_label", "_labelIds", ".label", "_annotation", "_trimap"}

// imageEndings follow that name in the image's own, where its mask has one of the others.
var imageEndings = []string{"", "_img", "-img", ".img", "_image", "-image", ".image", "_input", ".input", "_rgb", ".rgb"}

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
