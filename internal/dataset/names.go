package dataset

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/dataset/idx"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
	"moncae/internal/suggest"
)

// Default is the set that is built in.
const Default = "mnist-mini"

// Known is a data set that can be asked for by name.
type Known struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Places are where it is looked for in a folder of data sets, best first.
	Places []string `json:"-"`
	// marks are files of which one lies in a folder that is the data set itself.
	marks []string
	// Classes name the labels, where its files don't.
	Classes []string `json:"classes"`
}

var digits = strings.Fields("0 1 2 3 4 5 6 7 8 9")

// known are the data sets with names.
var known = []Known{
	{Name: Default, Title: "5,000 + 1,000 images of MNIST, built in", Classes: digits},
	{Name: "mnist", Title: "handwritten digits, 28×28 grey, 60,000 + 10,000",
		Places: []string{"mnist", "MNIST/raw", "MNIST", "mnist.npz"}, marks: []string{"train-images*idx3*"}, Classes: digits},
	{Name: "fashion-mnist", Title: "clothing, 28×28 grey, 60,000 + 10,000",
		Places: []string{"fashion-mnist", "FashionMNIST/raw", "fashion_mnist"}, marks: []string{"train-images*idx3*"},
		Classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}},
	{Name: "kmnist", Title: "cursive Japanese characters, 28×28 grey, 60,000 + 10,000",
		Places: []string{"kmnist", "KMNIST/raw"}, marks: []string{"train-images*idx3*"},
		Classes: strings.Fields("o ki su tsu na ha ma ya re wo")},
	{Name: "cifar10", Title: "photographs in 10 classes, 32×32 colour, 50,000 + 10,000",
		Places: []string{"cifar10", "cifar-10-batches-bin", "cifar-10-binary.tar.gz", "cifar-10-batches-py", "cifar10-jpeg.zip"}, marks: []string{"data_batch_1.bin"}},
	{Name: "cifar100", Title: "photographs in 100 classes, 32×32 colour, 50,000 + 10,000",
		Places: []string{"cifar100", "cifar-100-binary", "cifar-100-binary.tar.gz", "cifar-100-python"}, marks: []string{"fine_label_names.txt"}},
	{Name: "svhn", Title: "house numbers, 32×32 colour, 73,257 + 26,032",
		Places: []string{"svhn", "SVHN"}, marks: []string{"train_32x32.mat"}, Classes: digits},
}

// Names are the data sets that can be asked for by name, in the order of a list
// for people.
func Names() []Known { return slices.Clone(known) }

// Lookup is the data set of that name.
func Lookup(name string) (Known, bool) {
	i := slices.IndexFunc(known, func(k Known) bool { return k.Name == name })
	if i < 0 {
		return Known{}, false
	}
	return known[i], true
}

//go:embed mini
var mini embed.FS

// openMini is the built-in set.
func openMini() (*source.Collection, error) {
	entries, err := mini.ReadDir("mini")
	if err != nil {
		return nil, err
	}
	var list []source.File
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		list = append(list, source.File{Path: e.Name(), Size: info.Size(), Stored: info.Size(),
			Open: func() (io.ReadCloser, error) { return mini.Open(path.Join("mini", e.Name())) }})
	}
	return idx.Collect(list)
}

// located is a collection and where it was found.
type located struct {
	*source.Collection
	name, path string
}

// CacheDir is where data sets are kept that were downloaded: moncae/data in the
// user's cache.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "moncae", "data"), err
}

// dataDirs are the folders where named sets are looked for, best first.
func dataDirs(dataDir string) []string {
	var dirs []string
	for _, d := range []string{dataDir, os.Getenv("MONCAE_DATA")} {
		if d != "" {
			dirs = append(dirs, d)
		}
	}
	if cache, err := CacheDir(); err == nil { // without a home there is no cache to look in
		dirs = append(dirs, cache)
	}
	return dirs
}

// Locate is the path of a named set, "" for the built-in one.
func Locate(name, dataDir string) (string, error) {
	k, ok := Lookup(name)
	if !ok {
		return "", unknown(name)
	}
	if name == Default {
		return "", nil
	}
	dirs := dataDirs(dataDir)
	for _, d := range dirs {
		if at := k.in(d); at != "" {
			return at, nil
		}
	}
	return "", fault.Usagef("the data set %s is not here: looked in %s; `moncae data get %s` downloads it, --data-dir names a folder that holds %s",
		name, strings.Join(dirs, ", "), name, strings.Join(k.Places, " or "))
}

// in is where the set lies in or at the folder dir, "" if nowhere.
func (k Known) in(dir string) string {
	for _, p := range k.Places {
		at := filepath.Join(dir, filepath.FromSlash(p))
		if there(at) {
			return at
		}
	}
	if other, taken := Lookup(filepath.Base(dir)); taken && other.Name != k.Name {
		return ""
	}
	for _, m := range k.marks {
		if found, err := filepath.Glob(filepath.Join(escapeGlob(dir), m)); err == nil && len(found) > 0 {
			return dir
		}
	}
	return ""
}

// there tells whether something lies at a path: a folder of hidden files alone,
// such as a download that broke off, is nothing yet.
func there(at string) bool {
	info, err := os.Stat(at)
	if err != nil || !info.IsDir() {
		return err == nil
	}
	entries, err := os.ReadDir(at)
	return err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), ".") })
}

func escapeGlob(s string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(s)
}

// locate opens what lies at a name or a path.
func locate(ctx context.Context, nameOrPath string, o Options) (*located, error) {
	found, err := open(ctx, nameOrPath, o)
	if err != nil {
		return nil, inSet(nameOrPath, err)
	}
	return found, nil
}

func open(ctx context.Context, nameOrPath string, o Options) (*located, error) {
	k, isName := Lookup(nameOrPath)
	if !isName {
		if _, err := os.Stat(nameOrPath); err != nil {
			if _, lerr := os.Lstat(nameOrPath); lerr == nil && errors.Is(err, fs.ErrNotExist) {
				return nil, fault.Usagef("%s: it is a link to a place where nothing is", nameOrPath)
			}
			if errors.Is(err, fs.ErrNotExist) && !looksLikePath(nameOrPath) {
				return nil, unknown(nameOrPath)
			}
			return nil, fault.Usagef("no data there: %w", err)
		}
		c, err := openPath(ctx, nameOrPath, o.Columns)
		if err == nil {
			if err = settle(nameOrPath, c); err != nil {
				err = errors.Join(err, c.Close())
			}
		}
		return &located{c, filepath.Base(filepath.Clean(nameOrPath)), nameOrPath}, err
	}
	if k.Name == Default {
		c, err := openMini()
		return &located{c, Default, ""}, err
	}
	at, err := Locate(nameOrPath, o.DataDir)
	if err != nil {
		return nil, err
	}
	c, err := openPath(ctx, at, o.Columns)
	if err != nil {
		return nil, err
	}
	if len(k.Classes) == len(c.Classes) && c.Format != "images" {
		c.Classes = k.Classes
	}
	if k.Name == "cifar10" && c.Format == "images" {
		c.Notes = append(c.Notes, "these are JPEG copies of CIFAR-10: figures do not compare with those measured on the original pixels")
	}
	return &located{c, k.Name, at}, nil
}

func looksLikePath(s string) bool {
	return strings.ContainsAny(s, `/\`) || strings.Contains(s, ".")
}

func unknown(name string) error {
	var names []string
	for _, k := range known {
		names = append(names, k.Name)
	}
	return fault.Usagef("the data set %q is unknown, and no file or folder has that name: known are %s; or give the path of an image folder, archive, IDX, npy, npz, Parquet or Arrow file%s",
		name, strings.Join(names, ", "), suggest.Meant(name, names))
}
