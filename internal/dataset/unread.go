package dataset

import (
	"fmt"
	"path"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

const saveNPZ = "load it in Python and save numpy.savez(\"data.npz\", x_train=…, y_train=…)"

// unreadKinds are formats of data sets that aren't read, by the ends of their names, with
// the way round.
var unreadKinds = []struct{ endings, what, fix string }{
	{".h5 .hdf5 .hdf", "HDF5", saveNPZ},
	{".pkl .pickle .p data_batch_1 .joblib", "a Python pickle", saveNPZ},
	{".pt .pth .ckpt", "a file of PyTorch", saveNPZ},
	{".tfrecord .tfrecords", "TFRecord", "write the images as files, or as a .parquet file by tfds.data_source"},
	{".mdb .lmdb", "LMDB", "write the images as files in a folder for each class"},
	{".dcm .dicom", "DICOM", "convert it to PNG of 16 bits, and give --range LO,HI"},
	{".nii .nii.gz .mha .mhd .nrrd", "a medical volume", "write its slices as PNG of 16 bits, and give --range LO,HI"},
	{".rar .7z .bz2 .xz", "an archive of another kind", "unpack it and name the folder"},
	{".avif .heic .heif .jxl .jp2 .svg .psd .tga", "an image of a kind that isn't read", "convert it, to PNG for example"},
	{".rec .beton .msgpack", "a file of records of another library", saveNPZ},
}

// unread is what a file is, and the way round, where it is of a kind that is known but
// not read; "" otherwise.
func unread(name string) (what, fix string) {
	base := strings.ToLower(path.Base(name))
	if strings.Contains(base, ".tfrecord") { // x.tfrecord-00000-of-00001
		base = "x.tfrecord"
	}
	for _, k := range unreadKinds {
		for ending := range strings.FieldsSeq(k.endings) {
			if strings.HasSuffix(base, ending) {
				return k.what, k.fix
			}
		}
	}
	return "", ""
}

// nothing is the fault of a folder or an archive without data that is read.
func nothing(name string, list []source.File) error {
	if len(list) == 0 {
		return fault.Usagef("%s: is empty; images lie in folders named by their class, or flat", name)
	}
	for _, f := range list {
		if what, fix := unread(f.Path); what != "" {
			return fault.Usagef("%s: %s is %s, which isn't read; %s", name, f.Path, what, fix)
		}
	}
	files := fmt.Sprintf("none of its %d files (%s, …) is", len(list), list[0].Path)
	if len(list) == 1 {
		files = "its one file (" + list[0].Path + ") isn't"
	}
	return fault.Usagef("%s: %s an image (JPEG, PNG, GIF, BMP, WebP, TIFF, PNM) or data in a known format", name, files)
}
