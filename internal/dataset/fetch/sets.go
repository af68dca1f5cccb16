// Package fetch downloads the named data sets from their public places.
//
// A file is there under its name only when all of it is there and its published
// MD5 is right: it grows as a hidden .part file, which a later call goes on with,
// is synced, and renamed. Mirrors are tried in order, each several times as long
// as it makes headway. A server that breaks off, stalls, or sends wrong or too
// many bytes costs time and no more.
package fetch

import "slices"

// File is one file of a set.
type File struct {
	Name string
	MD5  string // as published, hex
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

// sets are the known sets. Sources of the checksums: MNIST's family and SVHN,
// torchvision.datasets (mnist.py, svhn.py); CIFAR, the authors' page.
var sets = []Set{
	{
		Name:    "mnist",
		Home:    "http://yann.lecun.com/exdb/mnist/",
		Mirrors: []string{"https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"},
		Files: idxFiles("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
			"9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
	},
	{
		Name:    "fashion-mnist",
		Home:    "https://github.com/zalandoresearch/fashion-mnist",
		Mirrors: []string{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"},
		Files: idxFiles("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
			"bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
	},
	{
		Name:    "kmnist",
		Home:    "http://codh.rois.ac.jp/kmnist/",
		Mirrors: []string{"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
		Files: idxFiles("bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
			"5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"),
	},
	{
		Name:    "cifar10",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Mirrors: []string{"https://www.cs.toronto.edu/~kriz/"},
		Files:   []File{{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"}},
	},
	{
		Name:    "cifar100",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Mirrors: []string{"https://www.cs.toronto.edu/~kriz/"},
		Files:   []File{{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"}},
	},
	{
		Name:    "svhn",
		Home:    "http://ufldl.stanford.edu/housenumbers/",
		Mirrors: []string{"http://ufldl.stanford.edu/housenumbers/"},
		Files:   []File{{"train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"}, {"test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"}},
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
