package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// content is the file of the tests.
var content = bytes.Repeat([]byte("images and labels "), 20000)

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// server answers with handle, which is told the number of the request.
func server(t *testing.T, handle func(n int32, w http.ResponseWriter, r *http.Request)) string {
	var count atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(count.Add(1), w, r) }))
	t.Cleanup(s.Close)
	return s.URL + "/data/"
}

// honest serves the content, with ranges.
func honest(_ int32, w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(content))
}

func set(mirrors ...string) Set {
	return Set{Name: "test", Mirrors: mirrors, Files: []File{{"f.bin", sumOf(content)}}}
}

// check reads what arrived: the file and nothing else.
func check(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "f.bin"))
	if err != nil || !bytes.Equal(b, content) {
		t.Errorf("%d bytes arrived, %v", len(b), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

func TestGet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	requests := int32(0)
	s := set(server(t, func(n int32, w http.ResponseWriter, r *http.Request) {
		requests = n
		if r.URL.Path != "/data/f.bin" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		honest(n, w, r)
	}))
	var last int64
	plain := 0
	o := Options{Plain: func(string) { plain++ }, Progress: func(_ string, have, all int64) { last = have*10 + all/int64(len(content)) }}
	for range 2 { // the second finds it there
		if err := Get(context.Background(), s, dir, o); err != nil {
			t.Fatal(err)
		}
		check(t, dir)
	}
	if plain != 1 {
		t.Errorf("it was said %d times that nothing is encrypted", plain)
	}
	if requests != 1 || last != int64(len(content))*10+1 {
		t.Errorf("%d requests, progress %d", requests, last)
	}
}

// TestBreaksOff: every answer ends early; each call goes on where the last ended.
func TestBreaksOff(t *testing.T) {
	dir := t.TempDir()
	var starts []string
	s := set(server(t, func(n int32, w http.ResponseWriter, r *http.Request) {
		starts = append(starts, r.Header.Get("Range"))
		http.ServeContent(&breaking{w, 100000}, r, "f", time.Time{}, bytes.NewReader(content))
	}))
	if err := Get(context.Background(), s, dir, Options{Attempts: 1}); err != nil {
		t.Fatal(err)
	}
	check(t, dir)
	if len(starts) != 4 || starts[0] != "" || starts[1] != "bytes=100000-" || starts[3] != "bytes=300000-" {
		t.Errorf("asked for %q", starts)
	}
}

// breaking ends the connection after some bytes.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	_, _ = b.ResponseWriter.Write(p[:n])
	if b.left -= n; b.left == 0 {
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// TestResume goes on with the part that an interrupted call left.
func TestResume(t *testing.T) {
	for name, part := range map[string][]byte{"good": content[:1234], "bad": []byte("something else"), "whole": content, "too long": append(content[:len(content):len(content)], "more"...)} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".f.bin.part"), part, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Get(context.Background(), set(server(t, honest)), dir, Options{}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		check(t, dir)
	}
}

// TestNoRanges: a server that always begins at the beginning is believed.
func TestNoRanges(t *testing.T) {
	dir := t.TempDir()
	_ = os.WriteFile(filepath.Join(dir, ".f.bin.part"), content[:99], 0o600)
	err := Get(context.Background(), set(server(t, func(_ int32, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, dir)
}

// TestBadServers: every kind is told, nothing takes the file's name, and the
// next mirror makes it good.
func TestBadServers(t *testing.T) {
	wrong := bytes.ToUpper(content)
	for _, c := range []struct {
		name   string
		handle func(n int32, w http.ResponseWriter, r *http.Request)
		want   string
	}{
		{"wrong bytes", func(_ int32, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(wrong) }, "published is " + sumOf(content)},
		{"a page instead", func(_ int32, w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>moved</html>") }, "its SHA-256 is"},
		{"too short", func(_ int32, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content[:5000]) }, "its SHA-256 is"},
		{"promises more", func(_ int32, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "400000")
			w.WriteHeader(http.StatusOK)
		}, "unexpected EOF"},
		{"huge", func(_ int32, w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999999") }, "are refused"},
		{"endless", func(_ int32, w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				_, _ = w.Write(content)
			}
		}, "bytes came, and are refused"},
		{"stalls", func(_ int32, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "400000")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "no byte came for 50ms"},
		{"gone", func(_ int32, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404"},
		{"failing", func(_ int32, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "503"},
	} {
		dir := t.TempDir()
		bad := server(t, c.handle)
		o := Options{Attempts: 2, Stall: 10 * time.Second, MaxBytes: 1 << 20}
		if c.name == "stalls" {
			o.Stall = 50 * time.Millisecond
		}
		err := Get(context.Background(), set(bad), dir, o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), bad+"f.bin") {
			t.Errorf("%s: error is %v, should contain %q", c.name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "f.bin")); err == nil {
			t.Errorf("%s: the file is there", c.name)
		}
		o.Stall = 10 * time.Second
		if c.name == "stalls" {
			continue // it would take the long stall now
		}
		if err := Get(context.Background(), set(bad, server(t, honest)), dir, o); err != nil {
			t.Errorf("%s: the second mirror fails: %v", c.name, err)
			continue
		}
		check(t, dir)
	}
}

// TestSlow: bytes that keep coming are no stall, however slowly.
func TestSlow(t *testing.T) {
	dir := t.TempDir()
	s := set(server(t, func(_ int32, w http.ResponseWriter, r *http.Request) {
		for i := range 6 {
			_, _ = w.Write(content[i*60000 : (i+1)*60000])
			w.(http.Flusher).Flush()
			time.Sleep(200 * time.Millisecond)
		}
	}))
	if err := Get(context.Background(), s, dir, Options{Stall: time.Second, Attempts: 1}); err != nil {
		t.Fatal(err)
	}
	check(t, dir)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	s := set(server(t, func(_ int32, w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(content[:70000])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	if err := Get(ctx, s, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestSets: names are unique, addresses are folders, checksums are SHA-256s.
func TestSets(t *testing.T) {
	for _, s := range sets {
		if got, ok := Lookup(s.Name); !ok || got.Home != s.Home || len(s.Files) == 0 || len(s.Mirrors) == 0 {
			t.Errorf("%s: %+v", s.Name, got)
		}
		for _, m := range s.Mirrors {
			if !strings.HasSuffix(m, "/") || !strings.HasPrefix(m, "http") {
				t.Errorf("%s: mirror %s", s.Name, m)
			}
		}
		for _, f := range s.Files {
			if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != sha256.Size {
				t.Errorf("%s: %s has the SHA-256 %q", s.Name, f.Name, f.SHA256)
			}
		}
	}
	if _, ok := Lookup("mnist-mini"); ok {
		t.Error("what is built in can be downloaded")
	}
}

// TestPublishedChecksums holds MNIST's against the files at hand.
func TestPublishedChecksums(t *testing.T) {
	dir := os.Getenv("MONCAE_DATA")
	if dir == "" {
		t.Skip("MONCAE_DATA names no folder with mnist/")
	}
	s, _ := Lookup("mnist")
	for _, f := range s.Files {
		if sum, err := checksum(filepath.Join(dir, "mnist", f.Name)); err != nil || sum != f.SHA256 {
			t.Errorf("%s: %s, %v", f.Name, sum, err)
		}
	}
}
