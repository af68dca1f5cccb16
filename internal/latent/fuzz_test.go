package latent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/fault"
)

// FuzzParquet reads Parquet files of latents to their end.
func FuzzParquet(f *testing.F) {
	for _, o := range []Options{{Format: Parquet}, {Format: Parquet, Compression: Zstd, DType: Int8}, {Format: Parquet, DType: Float16}} {
		b := written(f, o, 5)
		f.Add(b)
		f.Add(unchecked(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte("PAR1")) {
			return
		}
		if _, err := readAllOf(b); err != nil && fault.Of(err) != fault.Damaged {
			t.Error(err)
		}
	})
}

// FuzzManifest reads folders of shards whose manifest is changed.
func FuzzManifest(f *testing.F) {
	m, r := sample(7)
	o, err := Options{}.Resolve()
	if err != nil {
		f.Fatal(err)
	}
	dir := filepath.Join(f.TempDir(), "shards")
	s, err := CreateShards(Disk{}, dir, testJob, Refuse)
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Write(m, o, 3, inPieces(r, 2, m.Shape.Values()), nil); err != nil {
		f.Fatal(err)
	}
	s.Close()
	manifest, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(manifest)
	for _, old := range []string{`"rows": 3`, `part-00001.arrow`, `"moncae.latents"`, `"ids"`} {
		if !bytes.Contains(manifest, []byte(old)) {
			f.Fatalf("the manifest has no %s", old)
		}
		f.Add(bytes.Replace(manifest, []byte(old), []byte("null"), 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		to := filepath.Join(t.TempDir(), "shards")
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, ManifestName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		expected := func(err error) {
			if s := fault.Of(err); err != nil && s != fault.Damaged && s != fault.Usage {
				t.Errorf("%v", err)
			}
		}
		r, err := Open(to)
		if expected(err); err == nil {
			for err == nil {
				_, err = r.Next()
			}
			if !errors.Is(err, io.EOF) {
				expected(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if json.Valid(b) {
			again, err := CreateShards(Disk{}, to, testJob, Resume)
			if expected(err); err == nil {
				_, err := again.Quant(m.Shape.C)
				expected(err)
				again.Close()
			}
		}
	})
}
