//go:build unix

package chaos_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"moncae/internal/dataset/fetch"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// download stands for `data get` of a set that this process serves.
const download = "download"

// remote is the file of that set.
var remote = bytes.Repeat([]byte("images and labels "), 20000)

func serveRemote() (address string, stop func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(remote))
	}))
	return s.URL + "/", s.Close
}

// even is a connection whose pieces are equally long each time, so that the steps
// of writing them can be counted.
type even struct{ body io.ReadCloser }

func (even) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		response.Body = even{response.Body}
	}
	return response, err
}

func (e even) Read(b []byte) (int, error) {
	n, err := io.ReadFull(e.body, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func (e even) Close() error { return e.body.Close() }

// get downloads as the command does.
func get(address, dir string, disk durable.FS) (code int) {
	sum := sha256.Sum256(remote)
	set := fetch.Set{Name: "remote", Mirrors: []string{address}, Files: []fetch.File{{Name: "file", SHA256: hex.EncodeToString(sum[:])}}}
	if err := fetch.Get(context.Background(), set, dir, fetch.Options{FS: disk, Client: &http.Client{Transport: even{}}}); err != nil {
		fmt.Fprintln(os.Stderr, "moncae:", err)
		return int(fault.Of(err))
	}
	return 0
}
