// Package certificate is what an export's certificate, export.json, says of the files
// beside it: the SHA-256 of each, sealed by a CRC-32C of its own (docs/format/onnx.md).
//
// Promises: a file that a certificate beside it names, and whose bytes are others, is
// an error of the kind fault.Damaged. A file that none names is nobody's to judge.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"moncae/internal/fault"
	"moncae/internal/regular"
)

// Name is the certificate's, and marks a folder as an export.
const Name = "export.json"

// Format is what its field format says.
const Format = "moncae.export"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Hashes are the SHA-256 of files, hexadecimal, by name.
type Hashes map[string]string

// Add hashes a file.
func (h Hashes) Add(name string, content []byte) {
	sum := sha256.Sum256(content)
	h[name] = hex.EncodeToString(sum[:])
}

// Seal writes v, a struct, as JSON with the checksum as the last field.
func Seal(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n}"))
	return append(b, seal(b)...), nil
}

func seal(b []byte) string {
	return fmt.Sprintf(",\n \"crc32c\": \"%08x\"\n}\n", crc32.Checksum(b, castagnoli))
}

var sealLength = len(seal(nil))

// document is the part of a certificate that is read here.
type document struct {
	Format string `json:"format"`
	Hashes Hashes `json:"sha256"`
	Files  []struct {
		Name string `json:"name"`
		Hash string `json:"hash"`
	} `json:"files"`
}

// read gives nil where the folder has none. Certificates from before there were
// seals have no Hashes.
func read(dir string) (*document, []byte, error) {
	file := filepath.Join(dir, Name)
	b, err := regular.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, b, fault.Damagedf("%s: %w", file, err)
	}
	if d.Format != Format || d.Hashes == nil && !bytes.Contains(b, []byte("crc32c")) {
		return &d, b, nil
	}
	body := b[:max(0, len(b)-sealLength)]
	if want := seal(body); string(b[len(body):]) != want {
		return nil, b, fault.Damagedf("%s: it ends in %q, its bytes have the checksum %q", file, b[len(body):], want)
	}
	return &d, b, nil
}

// Check holds a file's content against the certificate beside it. hash is the
// model's own (onnx.Model.Hash), for certificates without SHA-256 of files; it is
// asked for where one needs it, and may be nil.
func Check(file string, content []byte, hash func() string) error {
	d, _, err := read(filepath.Dir(file))
	if err != nil || d == nil || d.Format != Format { // another program's file may have the name
		return err
	}
	return d.check(file, content, hash)
}

func (d *document) check(file string, content []byte, hash func() string) error {
	name := filepath.Base(file)
	if want, ok := d.Hashes[name]; ok {
		got := Hashes{}
		if got.Add(name, content); got[name] != want {
			return mismatch(file, "SHA-256", got[name], want)
		}
		return nil
	}
	for _, f := range d.Files {
		if f.Name == name && d.Hashes == nil && hash != nil {
			if got := hash(); got != f.Hash {
				return mismatch(file, "hash", got, f.Hash)
			}
		}
	}
	return nil
}

func mismatch(file, kind, got, want string) error {
	return fault.Damagedf("%s: its %s is %s, %s beside it says %s: export it anew; or, if the change was meant, keep it in another folder",
		file, kind, got, Name, want)
}

// Folder checks the files that a folder's certificate names, of which it gives the
// number; 0 where there is no certificate. A folder that is replaced meanwhile is
// read again.
func Folder(dir string) (files int, err error) {
	for range 10 {
		d, before, err := read(dir)
		if err == nil && d != nil {
			err = d.folder(dir)
		}
		after, rerr := regular.ReadFile(filepath.Join(dir, Name))
		if rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			return 0, errors.Join(err, rerr)
		}
		if !bytes.Equal(before, after) {
			continue
		}
		if d == nil {
			return 0, err
		}
		return len(d.Hashes) + 1, err
	}
	return 0, fmt.Errorf("%s: it is being replaced all the time", dir)
}

func (d *document) folder(dir string) error {
	if d.Format != Format {
		return fault.Damagedf("%s: field format is %.40q, a certificate has %q", filepath.Join(dir, Name), d.Format, Format)
	}
	var damage []error
	for name := range d.Hashes {
		file := filepath.Join(dir, name)
		if name != filepath.Base(name) {
			damage = append(damage, fault.Damagedf("%s: it names the file %q outside its folder", filepath.Join(dir, Name), name))
			continue
		}
		content, err := regular.ReadFile(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			err = fault.Damagedf("%s: missing, %s beside it names it: export it anew", file, Name)
		case err == nil:
			err = d.check(file, content, nil)
		}
		if err != nil {
			damage = append(damage, err)
		}
	}
	return errors.Join(damage...)
}
