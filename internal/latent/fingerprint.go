package latent

import (
	"fmt"
	"io"

	"moncae/internal/arrowmsg"
	"moncae/internal/metakey"
)

// unknown stands for the fingerprint in the schema of a file that is being
// written: the schema comes before the images, and what identifies them is known
// behind the last. It is as long as a fingerprint; 64 digits of it are in a schema
// by intention only.
const unknown = "6b1f0c4e9d27a85830e4f9b2c76d15a8b3907fe2415cd86a0d9e37b6f2184ac5"

// finish ends the file, with the fingerprint where there is to be one.
func (w *writer) finish(file io.WriterAt, fingerprint func() string) error {
	if fingerprint != nil {
		if err := w.setFingerprint(file, fingerprint()); err != nil {
			return fmt.Errorf("the images' fingerprint: %w", err)
		}
	}
	return w.file.Close()
}

func (w *writer) setFingerprint(file io.WriterAt, fingerprint string) error {
	switch f := w.file.(type) {
	case *parquetWriter: // its schema comes last
		return f.AppendKeyValueMetadata(metakey.Fingerprint, fingerprint)
	case *arrowmsg.Writer:
		return f.Amend(file, unknown, fingerprint)
	}
	panic("latent: a file of another kind")
}
