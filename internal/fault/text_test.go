package fault

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestNamesStayOnTheirLine(t *testing.T) {
	if got := Name("new\nline\x1b é\u0085"); got != `new\u000aline\u001b é\u0085` {
		t.Error(got)
	}
	_, err := os.Stat("no\nwhere")
	if got := Text(err); got != `no\u000awhere: there is no such file or folder` {
		t.Error(got)
	}
}

// What the system says of a path, by its own errors.
func TestTextOfPaths(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{os.Symlink("loop", at("loop")), os.WriteFile(at("file"), nil, 0o600), os.Mkdir(at("folder"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	stat := func(name string) error { _, err := os.Stat(at(name)); return err }
	read := func(name string) error { _, err := os.ReadFile(at(name)); return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{Usagef("latents: %w", stat("none")), "latents: " + at("none") + ": there is no such file or folder"},
		{read("none"), at("none") + ": there is no such file or folder"},
		{Usagef("%s: %w", at("none"), read("none")), at("none") + ": there is no such file or folder"},
		{stat("loop"), at("loop") + ": it is a link that leads back to itself, or through too many links"},
		{stat("file/below"), at("file/below") + ": a file stands where a folder is wanted"},
		{read("folder"), at("folder") + ": a folder stands where a file is wanted"},
		{os.Mkdir(at("folder"), 0o700), at("folder") + ": it is there already"},
		{stat(strings.Repeat("n", 5000)), at(strings.Repeat("n", 5000)) + ": the name is too long for the disk"},
		{os.Rename(at("none"), at("new")), at("none") + ", to be " + at("new") + ": there is no such file or folder"},
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "x: no space left on device"},
	} {
		if got := Text(c.err); got != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.err, got, c.want)
		}
	}
}

// What people read says what is wrong with their file, in no library's words.
func TestText(t *testing.T) {
	_, number := strconv.Atoi("4x")
	_, quote := csv.NewReader(strings.NewReader("a,b\n\"c,d\n")).ReadAll()
	var object struct{ Rows int }
	for _, c := range []struct {
		err  error
		want string
	}{
		{Usagef("EOF.tgz: %w", io.EOF), "EOF.tgz: it ends too early: it is empty, or was cut off"},
		{Usagef("x.gz: offset 8 (end): %w", gzip.ErrChecksum), "x.gz: offset 8 (end): its checksum is another one: it is damaged"},
		{fmt.Errorf("run.json: %w; put it back", json.Unmarshal([]byte("{,}"), &object)), "run.json: byte 2: it is no JSON, or damaged; put it back"},
		{Damagedf("run.json: %w", json.Unmarshal([]byte(`{"Rows": 4`), &object)), "run.json: byte 10: it ends within its JSON: it is empty, or was cut off"},
		{Damagedf("run.json: %w", json.Unmarshal([]byte(`{"Rows": "x"}`), &object)), "run.json: byte 12, field Rows: a JSON string stands where something else is wanted"},
		{Usagef("--batch: %w", number), `--batch: "4x" is no number that fits`},
		{Usagef("x.csv: %w", quote), "x.csv: line 2: a quote isn't closed, or text follows one that is"},
		{errors.Join(Usagef("a: %w", io.ErrUnexpectedEOF), errors.New("b\nc")), "a: it ends too early: it is empty, or was cut off; b; c"},
		{errors.New("EOF"), "EOF"}, // not the library's
	} {
		if got := Text(c.err); got != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.err, got, c.want)
		}
	}
}
