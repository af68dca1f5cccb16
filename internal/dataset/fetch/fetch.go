package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"moncae/internal/durable"
)

// Options are what a download may be told beside what and where to. The zero
// value is fine.
type Options struct {
	Client   *http.Client                       // nil: http.DefaultClient
	Progress func(file string, have, all int64) // all is −1 where unknown; called often
	Attempts int                                // per mirror, without headway in between; 0: 3
	Stall    time.Duration                      // without a byte, after which an attempt is given up; 0: 30 s
	MaxBytes int64                              // of a file; 0: 1 GiB
	FS       durable.FS
	Plain    func(mirror string) // called before a mirror without encryption is asked
}

func (o Options) withDefaults() Options {
	o.Client = cmp.Or(o.Client, http.DefaultClient)
	o.Attempts = cmp.Or(o.Attempts, 3)
	o.Stall = cmp.Or(o.Stall, 30*time.Second)
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	if o.Plain == nil {
		o.Plain = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return o
}

// Get brings the files of s to the folder dir, which it makes. Files that are
// there and right are left alone.
func Get(ctx context.Context, s Set, dir string, o Options) error {
	o = o.withDefaults()
	if err := o.FS.Mkdir(dir); err != nil {
		return err
	}
	release, err := durable.LockFolder(dir)
	if err != nil {
		return err
	}
	defer release()
	for _, f := range s.Files {
		if sum, err := checksum(filepath.Join(dir, f.Name)); err == nil && sum == f.SHA256 {
			continue
		}
		if err := getFile(ctx, s, f, dir, o); err != nil {
			return fmt.Errorf("downloading %s: %w", s.Name, err)
		}
	}
	return nil
}

// getFile tries the mirrors in order.
func getFile(ctx context.Context, s Set, f File, dir string, o Options) error {
	var errs []error
	for _, m := range s.Mirrors {
		if strings.HasPrefix(m, "http://") {
			o.Plain(m)
		}
		d := download{Options: o, file: f, address: strings.TrimSuffix(m, "/") + "/" + f.Name, part: filepath.Join(dir, "."+f.Name+".part")}
		err := d.run(ctx)
		if err == nil {
			return o.FS.Finish(d.part, filepath.Join(dir, f.Name))
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// download is one file from one mirror.
type download struct {
	Options
	file          File
	address, part string
}

// run attempts the download until the file is complete and right. Attempts count
// afresh after headway; a complete file that is wrong is thrown away, once.
func (d *download) run(ctx context.Context) error {
	wrong := false
	for failed := 0; ; {
		before := size(d.part)
		err := d.attempt(ctx)
		if err == nil {
			sum, err := checksum(d.part)
			if err != nil {
				return err
			}
			if sum == d.file.SHA256 {
				return nil
			}
			if err := d.FS.Remove(d.part); err != nil {
				return err
			}
			if wrong || before == 0 {
				return fmt.Errorf("%s: its SHA-256 is %s, published is %s", d.address, sum, d.file.SHA256)
			}
			wrong = true // it may have been the older part that was bad
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var final *finalError
		if failed++; size(d.part) > before {
			failed = 0
		}
		if failed == d.Attempts || errors.As(err, &final) {
			return fmt.Errorf("%s: %w", d.address, err)
		}
	}
}

// finalError is a failure that another attempt would not mend.
type finalError struct{ error }

func size(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// attempt asks for what is missing, and appends it to the part.
func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(d.Stall, func() { cancel(fmt.Errorf("no byte came for %v", d.Stall)) })
	defer stall.Stop()
	have := size(d.part)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.address, nil)
	if err != nil {
		return &finalError{err}
	}
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := d.Client.Do(request)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	switch response.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		if !strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
			return &finalError{fmt.Errorf("asked from byte %d, the server sends %q", have, response.Header.Get("Content-Range"))}
		}
	case http.StatusRequestedRangeNotSatisfiable: // all is there, or more: the checksum tells
		return nil
	default:
		err := fmt.Errorf("the server answers %s", response.Status)
		if response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
			return &finalError{err}
		}
		return err
	}
	return cmp.Or(d.save(response, have, stall), context.Cause(ctx))
}

// save appends the body to the part, and syncs it.
func (d *download) save(response *http.Response, have int64, stall *time.Timer) error {
	all := int64(-1)
	if response.ContentLength >= 0 {
		all = have + response.ContentLength
	}
	if all > d.MaxBytes {
		return &finalError{fmt.Errorf("the server announces %d bytes, more than %d are refused", all, d.MaxBytes)}
	}
	f, err := d.FS.OpenPart(d.part, have)
	if err != nil {
		return &finalError{err}
	}
	buffer := make([]byte, 1<<16)
	for err == nil {
		var n int
		n, err = response.Body.Read(buffer)
		if n > 0 {
			stall.Reset(d.Stall)
			if have += int64(n); have > d.MaxBytes {
				err = &finalError{fmt.Errorf("more than %d bytes came, and are refused", d.MaxBytes)}
				break
			}
			if _, werr := f.Write(buffer[:n]); werr != nil {
				err = &finalError{werr}
			}
			d.Progress(d.file.Name, have, all)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if cerr := f.Close(); cerr != nil { // what is on the disk is not known, though it reads well
		return &finalError{errors.Join(err, cerr, d.FS.Remove(d.part))}
	}
	return err
}

// checksum is the SHA-256 of a file, hex.
func checksum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
