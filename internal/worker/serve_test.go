package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"moncae/internal/fault"
)

func server() Server {
	return Server{
		Hello: Hello{Protocol: Protocol, Version: "v1"},
		Kinds: map[string]Kind{
			"echo":  Nothing,
			"wait":  func(ctx context.Context, _ Task, _ Say) (Result, error) { <-ctx.Done(); return Result{}, ctx.Err() },
			"stuck": func(context.Context, Task, Say) (Result, error) { select {} },
		},
		Keeps: map[string]Keep{"bytes": func(key string, _ json.RawMessage, parts []Part) error {
			if len(parts) != 1 {
				return fault.Usagef("%s: %d parts", key, len(parts))
			}
			return nil
		}},
	}
}

func line(kind string, id int, spec string) string {
	return fmt.Sprintf(`{"task":{"id":%d,"kind":%q,"key":%q,"spec":%s}`, id, kind, Key(kind, []byte(spec)), spec)
}

func TestServe(t *testing.T) {
	in, feed := io.Pipe()
	from, out := io.Pipe()
	end := make(chan error, 1)
	go func() { end <- server().Serve(context.Background(), in, out) }()
	c := newConn(from, feed)
	ask := func(text, want string) {
		t.Helper()
		if text != "" { // an empty write would wait for a reader
			if _, err := io.WriteString(feed, text); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := c.line(); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	ask("", `{"moncae.worker":1,"version":"v1","engine_class":{"engine":"","version":"","device":"","isa":"","precision":""},"engine":{"name":"","version":"","device":"","workers":0},"precisions":null}`)
	ask(`{"give":{"key":"k","kind":"bytes"},"parts":[{"name":"all","bytes":3}]}`+"\nab\n", `{"kept":"k"}`)
	ask(line("echo", 1, `7`)+`,"parts":[{"name":"x","bytes":2}]}`+"\n\n\n", `{"event":{"id":1}}`)
	ask("", `{"result":{"id":1,"key":"`+Key("echo", []byte("7"))+`","data":7},"parts":[{"name":"x","bytes":2}]}`)
	ask("", "")
	ask("", "")
	ask(line("wait", 2, `0`)+"}\n", `{"event":{"id":2}}`)
	ask(`{"cancel":1}`+"\n"+`{"cancel":2}`+"\n", `{"failed":{"id":2,"error":"context canceled","cancelled":true}}`)
	if err := errors.Join(feed.Close(), <-end); err != nil {
		t.Errorf("at the end of its input: %v", err)
	}
}

func TestServeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"garbage\n":                      `line 1 is no message of the worker protocol: "garbage"`,
		"{}\n":                           "line 1 is no message",
		`{"cancel":1}{}` + "\n":          "something follows",
		"\n":                             "line 1 is no message",
		`{"cancel":1,"kept":"x"}` + "\n": "line 1 is no message",
		`{"kept":"x"}` + "\n":            "a worker's message",
		`{"cancel":1}` + "\n" + `{"bake":1}` + "\n": "line 2 is no message",
		`{"cancel"`:                  "line 1 is cut off",
		line("bake", 1, `7`) + "}\n": `kind "bake"`,
		line("echo", 0, `7`) + "}\n": "begin with 1",
		strings.Replace(line("echo", 1, `7`), `:7`, `:8`, 1) + "}\n":            "not its own",
		line("wait", 1, `7`) + "}\n" + line("wait", 2, `7`) + "}\n":             "while task 1 is under way",
		line("echo", 1, `7`) + `,"parts":[{"name":"x","bytes":9}]}` + "\nab":    "2 of its 9 bytes",
		line("echo", 1, `7`) + `,"parts":[{"name":"x","bytes":-9}]}` + "\nab":   "-9 bytes",
		line("echo", 1, `7`) + `,"parts":[{"name":"x","bytes":1e15}]}` + "\nab": "no message",
		`{"give":{"key":"k","kind":"cake"}}` + "\n":                             `"cake"`,
		`{"give":{"key":"k","kind":"bytes"}}` + "\n":                            "0 parts",
		strings.Repeat("x", maxLine+1):                                          "longer than",
	} {
		var out bytes.Buffer
		err := server().Serve(context.Background(), strings.NewReader(text), &out)
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// A server ends with its input, and with its context, whatever it is at.
func TestServeEnds(t *testing.T) {
	for kind, want := range map[string]error{"wait": nil, "stuck": ErrBusy} {
		err := server().Serve(context.Background(), strings.NewReader(line(kind, 1, `7`)+"}\n"), io.Discard)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	in, feed := io.Pipe()
	defer feed.Close()
	if err := server().Serve(ctx, in, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ends: %v", err)
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"give":{"key":"k","kind":"bytes"},"parts":[{"name":"all","bytes":3}]}` + "\nabc"))
	f.Add([]byte(line("echo", 1, `7`) + `,"parts":[{"name":"x","bytes":2}]}` + "\nab" + `{"cancel":1}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := server()
		delete(s.Kinds, "stuck")
		err := s.Serve(context.Background(), bytes.NewReader(b), io.Discard)
		if err != nil && fault.Of(err) != fault.Usage {
			t.Errorf("%v", err)
		}
	})
}
