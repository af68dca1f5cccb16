package dataset

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/magic"
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
	{".rar .7z .bz2 .xz .lzma", "an archive of another kind", "unpack it and name the folder"},
	{".avif", "an AVIF image", magic.ToPNG},
	{".heic .heif", "an HEIC image", magic.ToPNG},
	{".jxl", "a JPEG XL image", magic.ToPNG},
	{".jp2 .j2k .jpx", "a JPEG 2000 image", magic.ToPNG},
	{".svg", "an SVG drawing", magic.ToPNG},
	{".psd", "a Photoshop file", magic.ToPNG},
	{".exr .hdr .pfm", "an image of floating-point numbers", saveNPZ},
	{".tga .pcx .dds .ico", "an image of an unusual kind", magic.ToPNG},
	{".csv.gz .tsv.gz .json.gz .jsonl.gz .npy.gz .mat.gz .parquet.gz", "a file packed by gzip", "unpack it by gunzip"},
	{".keras .pb .tflite .onnx .safetensors", "a model", "name the data set"},
	{".xlsx .xls .ods", "a spreadsheet", "save it as CSV"},
	{".mp4 .avi .mov .mkv .webm", "a film", "write its frames as PNG"},
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
		if f.Disk == "" && files.IsArchive(f.Path) {
			return fault.Usagef("%s: holds the archive %s, and archives within archives aren't read; unpack %s and name the folder", name, f.Path, filepath.Base(name))
		}
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
