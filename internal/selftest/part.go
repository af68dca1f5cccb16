package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/ort"
)

// Setting is what a part works with.
type Setting struct {
	Device string
	Quick  bool
	Open   func() (engine.Engine, error) // the engine under test
	Models ort.Options                   // ONNX Runtime on that device
	// Moncae is this program with arguments, for the part that searches.
	Moncae func(ctx context.Context, args ...string) *exec.Cmd
	Temp   string // an empty folder
	Out    io.Writer
}

// part is a piece of the test that has a process of its own.
type part struct {
	name string
	slow bool // left out where it must be quick
	run  func(context.Context, *trials) error
}

var parts = []part{
	{"environment", false, environment},
	{"layers", false, layers},
	{"convolutions", false, convolutions},
	{"repeatability", false, repeatability},
	{"memory", false, memory},
	{"recovery", false, recovery},
	{"models", false, models},
	{"search", false, searchTwice},
	{"alternatives", true, alternatives},
	{"speed", true, speeds},
}

// Part runs a part of that name; its entries go to Setting.Out. The error is for
// what kept it from its work.
func Part(ctx context.Context, name string, s Setting) (err error) {
	for _, p := range parts {
		if p.name != name {
			continue
		}
		t := &trials{Setting: s}
		if t.engine, err = s.Open(); err != nil {
			if fault.Of(err) == fault.Missing {
				return t.emit(Entry{Missing: t.plain(err)})
			}
			return err
		}
		return errors.Join(p.run(ctx, t), t.engine.Close())
	}
	return fault.Usagef("selftest has no part %s", name)
}

// trials is a part at work.
type trials struct {
	Setting
	engine engine.Engine
}

func (t *trials) emit(e Entry) error { return json.NewEncoder(t.Out).Encode(e) }

// skipped is an error that says why something isn't there to be tried.
type skipped struct{ reason string }

func (s skipped) Error() string { return s.reason }

// check tries something and writes down how it ended. Its note is kept where it
// passed; what is wrong is no error of check's.
func (t *trials) check(name string, try func() (note string, err error)) error {
	begin := time.Now()
	note, err := try()
	c := Check{Name: name, Status: Pass, Reason: note, Seconds: time.Since(begin).Seconds()}
	var skip skipped
	switch {
	case errors.As(err, &skip):
		c.Status, c.Reason = Skip, t.plain(err)
	case err != nil:
		c.Status, c.Reason = Fail, t.plain(err)
	}
	return t.emit(Entry{Check: &c})
}

// plain is an error on one line without folders: a report goes to strangers.
func (t *trials) plain(err error) string {
	words := strings.Fields(err.Error())
	for i, w := range words {
		trimmed := strings.Trim(w, "():;,\"'`")
		if filepath.IsAbs(trimmed) {
			words[i] = strings.Replace(w, trimmed, filepath.Base(trimmed), 1)
		}
	}
	return strings.Join(words, " ")
}

// Environment is what the parts ran on.
type Environment struct {
	Engine engine.Info  `json:"engine"`
	Class  engine.Class `json:"engine_class"`
	GPU    any          `json:"cuda,omitempty"`
	Models string       `json:"onnxruntime,omitempty"` // its version
}

func environment(_ context.Context, t *trials) error {
	info := t.engine.Info()
	e := &Environment{Engine: info, Class: info.Class("")}
	if info.Name == "cuda" {
		e.GPU = gpu(t)
	}
	found, err := ort.Find(t.Models.Library, t.Models.Device)
	if err == nil {
		e.Models = found.Version
	}
	if err := t.emit(Entry{Environment: e}); err != nil {
		return err
	}
	return t.check("environment", func() (string, error) {
		return fmt.Sprintf("%s on %s", info.Version, info.Device), nil
	})
}
