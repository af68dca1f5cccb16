package latent

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

var testJob = map[string]string{"encoder": "e1", "dtype": "float32"}

func skip(r Rows, n, values int) Rows { return r.Slice(n, r.Len(), values) }

func TestShardsResume(t *testing.T) {
	m, r := sample(25)
	o, _ := Options{}.Resolve()
	dir := filepath.Join(t.TempDir(), "out")
	s, err := CreateShards(Disk{}, dir, testJob, Refuse)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateShards(Disk{}, dir, testJob, Resume); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second writer: %v", err)
	}
	left := inPieces(r, 4, 30)
	calls := 0
	broken := errors.New("broken")
	err = s.Write(m, o, 10, func(limit int) (Rows, error) {
		if calls++; calls == 6 { // in the middle of the second shard
			return Rows{}, broken
		}
		return left(limit)
	}, nil)
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(dir); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("half a folder opens: %v", err)
	}
	if _, err := CreateShards(Disk{}, dir, testJob, Refuse); fault.Of(err) != fault.Usage {
		t.Errorf("overwritten: %v", err)
	}
	other := map[string]string{"encoder": "e2", "dtype": "float32"}
	if _, err := CreateShards(Disk{}, dir, other, Resume); err == nil || !strings.Contains(err.Error(), `encoder "e1", not "e2"`) {
		t.Errorf("another job resumes: %v", err)
	}
	s, err = CreateShards(Disk{}, dir, testJob, Resume)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Manifest().Rows; n != 10 || s.Complete() {
		t.Fatalf("%d rows are there", n)
	}
	if err := s.Write(m, o, 10, inPieces(skip(r, 10, 30), 7, 30), func() string { return testFingerprint }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	checkShards(t, dir, r)
	s, err = CreateShards(Disk{}, dir, testJob, Resume)
	if err != nil || !s.Complete() {
		t.Errorf("a whole folder: %v, %v", s.Complete(), err)
	}
	s.Close()
}

func checkShards(t *testing.T, dir string, want Rows) {
	t.Helper()
	_, got, err := ReadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the rows differ")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 { // 3 shards and the manifest
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
	path := filepath.Join(dir, "part-00001.arrow")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadAll(dir); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a changed bit is read: %v", err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever step fails, what is there resumes to the whole.
func TestShardsSurviveEveryFault(t *testing.T) {
	m, r := sample(7)
	o, _ := Options{DType: Int8}.Resolve()
	m.Quant = quantOf(m, r)
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), "out")
		count := 0
		disk := Disk{FS: durable.FS{Fault: func(string, string) error {
			if count++; count == n {
				return io.ErrShortWrite
			}
			return nil
		}}}
		write := func(disk Disk, present Present) error {
			s, err := CreateShards(disk, dir, testJob, present)
			if err != nil {
				return err
			}
			defer s.Close()
			if s.Complete() {
				return nil
			}
			if q, err := s.Quant(m.Shape.C); err != nil || s.Manifest().Rows > 0 && !reflect.DeepEqual(q, m.Quant) {
				t.Fatalf("the quantisation %v (%v)", q, err)
			}
			return s.Write(m, o, 3, inPieces(skip(r, s.Manifest().Rows, 30), 2, 30), nil)
		}
		err := write(disk, Refuse)
		if err == nil {
			return
		}
		if err := write(Disk{}, Resume); err != nil {
			t.Fatalf("fault %d (%v): %v", n, err, err)
		}
		want := r
		want.Latents = append([]float32(nil), r.Latents...)
		m.Round(want.Latents, Int8)
		if _, got, err := ReadAll(dir); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("fault %d: %v", n, err)
		}
	}
}

func TestManifestThatLies(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{"format":"other"}`, `{"format":"moncae.latents","version":"9"}`,
		`{"format":"moncae.latents","version":"1","rows":1}`,
		`{"format":"moncae.latents","version":"1","shards":[]}`,
		`{"format":"moncae.latents","version":"1","rows":1,"shards":[{"file":"../x","rows":1}]}`,
		`{"format":"moncae.latents","version":"1","rows":1,"shards":[{"file":"missing","rows":1}]}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); fault.Of(err) != fault.Damaged {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Open(t.TempDir()); fault.Of(err) != fault.Usage {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestReplacedShardsAreThereUntilOthersAre: wherever a replacement ends, the folder holds
// all of the old rows or all of the new ones.
func TestReplacedShardsAreThereUntilOthersAre(t *testing.T) {
	m, old := sample(7)
	_, now := sample(5)
	o, _ := Options{}.Resolve()
	write := func(dir string, r Rows, present Present, disk Disk) (err error) {
		s, err := CreateShards(disk, dir, testJob, present)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return s.Write(m, o, 2, inPieces(r, 2, m.Shape.Values()), nil)
	}
	for at := 0; ; at++ {
		dir := filepath.Join(t.TempDir(), "shards")
		if err := write(dir, old, Refuse, Disk{}); err != nil {
			t.Fatal(err)
		}
		steps := 0
		disk := Disk{FS: durable.FS{Fault: func(string, string) error {
			if steps++; steps > at {
				return syscall.ENOSPC
			}
			return nil
		}}}
		err := write(dir, now, Replace, disk)
		_, rows, rerr := ReadAll(dir)
		if rerr != nil || rows.Len() != 7 && rows.Len() != 5 || err == nil && rows.Len() != 5 {
			t.Fatalf("ended at step %d (%v): %d rows, %v", at, err, rows.Len(), rerr)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
			t.Fatalf("ended at step %d: %v is left", at, left)
		}
		if err == nil {
			return
		}
	}
}

func TestReplacedShardsLeaveNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [b] *")
	m, r := sample(7)
	o, _ := Options{}.Resolve()
	write := func(rowsPer int, present Present) {
		t.Helper()
		s, err := CreateShards(Disk{}, dir, testJob, present)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Write(m, o, rowsPer, inPieces(r, 2, m.Shape.Values()), nil); err != nil {
			t.Fatal(err)
		}
	}
	write(2, Refuse)
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(5, Replace)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 { // two shards, their list, and what isn't ours
		t.Fatalf("%v, %v", entries, err)
	}
	if _, rows, err := ReadAll(dir); err != nil || rows.Len() != 7 {
		t.Errorf("%d rows, %v", rows.Len(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(7, Replace) // damaged ones too
	if _, rows, err := ReadAll(dir); err != nil || rows.Len() != 7 {
		t.Errorf("%d rows, %v", rows.Len(), err)
	}
}
