package latent

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// unknown stands for the fingerprint in the schemas of a file that is being
// written: the first comes before the images, and what identifies them is known
// behind the last. It is as long as a fingerprint; 64 digits of it are in a schema
// by intention only.
const unknown = "6b1f0c4e9d27a85830e4f9b2c76d15a8b3907fe2415cd86a0d9e37b6f2184ac5"

// finish ends the file, with the fingerprint where there is to be one.
func (w *writer) finish(file io.WriterAt, fingerprint func() string) error {
	if fingerprint == nil {
		return w.file.Close()
	}
	if p, ok := w.file.(*pqarrow.FileWriter); ok { // its schema comes last
		return errors.Join(p.AppendKeyValueMetadata(keyFingerprint, fingerprint()), p.Close())
	}
	w.out.schema = true
	if err := w.file.Close(); err != nil {
		return err
	}
	return w.out.replace(file, fingerprint())
}

// find notes where unknown stands in b, the bytes from c.n on.
func (c *counter) find(b []byte) {
	for from := 0; ; from += len(unknown) {
		i := bytes.Index(b[from:], []byte(unknown))
		if i < 0 {
			return
		}
		from += i
		c.late = append(c.late, c.n+int64(from))
	}
}

// replace puts the fingerprint wherever unknown was written.
func (c *counter) replace(file io.WriterAt, fingerprint string) error {
	if len(fingerprint) != len(unknown) {
		return fmt.Errorf("the images' fingerprint is %q, wanted are %d characters", fingerprint, len(unknown))
	}
	for _, at := range c.late {
		if _, err := file.WriteAt([]byte(fingerprint), at); err != nil {
			return err
		}
	}
	return nil
}
