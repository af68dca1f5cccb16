// Package fetch downloads the named data sets from their public places.
//
// A file is there under its name only when all of it is there and its published
// SHA-256 is right: it grows as a hidden .part file, which a later call goes on with,
// is synced, and renamed. Mirrors are tried in order, each several times as long
// as it makes headway. A server that breaks off, stalls, or sends wrong or too
// many bytes costs time and no more.
package fetch

import "slices"

// File is one file of a set.
type File struct {
	Name   string
	SHA256 string // as published, hex
}

// Set is a data set that can be downloaded.
type Set struct {
	Name    string
	Home    string   // where its authors describe it
	Mirrors []string // addresses of the folder with the files, best first
	Files   []File
}

// idxFiles are MNIST's four names with their checksums.
func idxFiles(trainImages, trainLabels, testImages, testLabels string) []File {
	return []File{
		{"train-images-idx3-ubyte.gz", trainImages}, {"train-labels-idx1-ubyte.gz", trainLabels},
		{"t10k-images-idx3-ubyte.gz", testImages}, {"t10k-labels-idx1-ubyte.gz", testLabels},
	}
}

// sets are the known sets. Source of the checksums: the list of TensorFlow Datasets
// (url_checksums). Where an address with https is known it comes first.
var sets = []Set{
	{
		Name:    "mnist",
		Home:    "http://yann.lecun.com/exdb/mnist/",
		Mirrors: []string{"https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/", "http://yann.lecun.com/exdb/mnist/"},
		Files: idxFiles("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
			"8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
	},
	{
		Name:    "fashion-mnist",
		Home:    "https://github.com/zalandoresearch/fashion-mnist",
		Mirrors: []string{"https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
		Files: idxFiles("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
			"346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
	},
	{
		Name:    "kmnist",
		Home:    "http://codh.rois.ac.jp/kmnist/",
		Mirrors: []string{"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
		Files: idxFiles("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4", "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
			"edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5", "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
	},
	{
		Name:    "cifar10",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Mirrors: []string{"https://www.cs.toronto.edu/~kriz/"},
		Files:   []File{{"cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
	},
	{
		Name:    "cifar100",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Mirrors: []string{"https://www.cs.toronto.edu/~kriz/"},
		Files:   []File{{"cifar-100-binary.tar.gz", "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"}},
	},
	{
		Name:    "svhn",
		Home:    "http://ufldl.stanford.edu/housenumbers/",
		Mirrors: []string{"http://ufldl.stanford.edu/housenumbers/"},
		Files:   []File{{"train_32x32.mat", "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"}, {"test_32x32.mat", "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"}},
	},
}

// Lookup is the set of that name.
func Lookup(name string) (Set, bool) {
	i := slices.IndexFunc(sets, func(s Set) bool { return s.Name == name })
	if i < 0 {
		return Set{}, false
	}
	return sets[i], true
}
