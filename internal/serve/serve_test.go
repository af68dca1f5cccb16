package serve

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/report"
)

// fake is a source of two runs, whose state a test changes.
type fake struct {
	mu       sync.Mutex
	state    State
	rendered int
}

func (f *fake) Runs() ([]Run, error) { return []Run{{Name: "a <b>"}, {Name: "digits"}}, nil }

func (f *fake) State(string) (State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, nil
}

func (f *fake) Page(context.Context, string) (report.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rendered++
	return report.Page{Title: "t", Data: report.Data{Run: report.RunInfo{Name: "digits"}}}, nil
}

func (f *fake) Compare(_ context.Context, names []string) (report.Comparison, error) {
	return report.Comparison{Title: strings.Join(names, "+")}, nil
}

func (f *fake) set(s State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = s
}

func get(t *testing.T, h http.Handler, target string, change func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "127.0.0.1:8046"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var local = Options{Hosts: []string{"127.0.0.1", "localhost"}}

func TestForeignHostNamesAreRefused(t *testing.T) {
	t.Parallel()
	h := Handler(&fake{}, local)
	for host, want := range map[string]int{"127.0.0.1:8046": 200, "localhost": 200, "evil.example:8046": 403, "127.0.0.1.evil.example": 403, "": 403} {
		if r := get(t, h, "/", func(r *http.Request) { r.Host = host }); r.StatusCode != want {
			t.Errorf("host %q: %d, want %d", host, r.StatusCode, want)
		}
	}
}

func TestEveryAnswerHasThePolicy(t *testing.T) {
	t.Parallel()
	h := Handler(&fake{}, local)
	for _, target := range []string{"/", "/run/digits/", "/run/digits/data.json", "/run/nothing/", "/nothing", "/compare?run=digits&run=a+%3Cb%3E"} {
		r := get(t, h, target, nil)
		if p := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", target, p)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", target, r.Header)
		}
	}
}

func TestOnlyReadingAndOnlyListedRuns(t *testing.T) {
	t.Parallel()
	h := Handler(&fake{}, local)
	for target, want := range map[string]int{
		"/run/digits/": 200, "/run/a%20%3Cb%3E/": 200, "/run/..%2f..%2fetc/": 404, "/run/other/data.json": 404,
		"/compare?run=digits": 400, "/compare?run=digits&run=other": 404,
	} {
		if r := get(t, h, target, nil); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, r.StatusCode, want)
		}
	}
	if r := get(t, h, "/run/digits/", func(r *http.Request) { r.Method = "POST" }); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestAToken(t *testing.T) {
	t.Parallel()
	o := local
	o.Token = NewToken()
	h := Handler(&fake{}, o)
	for _, target := range []string{"/", "/?token=wrong", "/run/digits/data.json", "/run/digits/events"} {
		if r := get(t, h, target, nil); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s without the token: %d", target, r.StatusCode)
		}
	}
	r := get(t, h, "/run/digits/?token="+o.Token, nil)
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/run/digits/" || len(r.Cookies()) != 1 || !r.Cookies()[0].HttpOnly {
		t.Fatalf("with the token: %d to %q, %v", r.StatusCode, r.Header.Get("Location"), r.Cookies())
	}
	if far := get(t, h, "//evil.example/?token="+o.Token, nil); !strings.HasPrefix(far.Header.Get("Location"), "/evil") {
		t.Errorf("sent to %q", far.Header.Get("Location"))
	}
	if again := get(t, h, "/run/digits/", func(q *http.Request) { q.AddCookie(r.Cookies()[0]) }); again.StatusCode != http.StatusOK {
		t.Errorf("with the cookie: %d", again.StatusCode)
	}
}

func TestAPageIsRenderedOnceAState(t *testing.T) {
	t.Parallel()
	src := &fake{state: State{Version: "1"}}
	h := Handler(src, local)
	for range 3 {
		get(t, h, "/run/digits/", nil)
		get(t, h, "/run/digits/data.json", nil)
	}
	if src.rendered != 1 {
		t.Errorf("rendered %d times", src.rendered)
	}
	src.set(State{Version: "2", Ended: true})
	if html := body(t, get(t, h, "/run/digits/", nil)); src.rendered != 2 || strings.Contains(html, "data-events") {
		t.Errorf("rendered %d times; a run that has ended asks for events", src.rendered)
	}
}

// stuck is a reader that takes nothing until it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	writing, free chan struct{}
}

func (s stuck) Write(b []byte) (int, error) {
	close(s.writing)
	<-s.free
	return len(b), nil
}

func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := Handler(&fake{}, local)
	slow := stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	r := httptest.NewRequest(http.MethodGet, "http://localhost/run/digits/", nil)
	var wait sync.WaitGroup
	wait.Go(func() { h.ServeHTTP(slow, r) })
	<-slow.writing
	if r := get(t, h, "/run/digits/", nil); r.StatusCode != http.StatusOK {
		t.Errorf("beside a slow reader: %d", r.StatusCode)
	}
	close(slow.free)
	wait.Wait()
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, Handler(&fake{}, local)) }()
	r, err := http.Get("http://" + l.Addr().String() + "/run/digits/")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", r, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestEventsTellOfChanges(t *testing.T) {
	t.Parallel()
	src := &fake{state: State{Version: "1", Progress: []byte("{\n\"fraction\":0.5}")}}
	o := local
	o.Every = 5 * time.Millisecond
	server := httptest.NewServer(Handler(src, o))
	defer server.Close()
	r, err := http.Get(server.URL + "/run/digits/events?version=1")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(r.Body)
	next := func() string {
		for lines.Scan() {
			if s := lines.Text(); s != "" && !strings.HasPrefix(s, ":") {
				return s
			}
		}
		t.Fatal(errors.Join(errors.New("the events ended"), lines.Err()))
		return ""
	}
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := next(); got != w {
				t.Fatalf("%q, want %q", got, w)
			}
		}
	}
	expect("event: progress", `data: {"fraction":0.5}`)
	src.set(State{Version: "2", Progress: []byte(`{"fraction":0.5}`)})
	expect("event: run", "data: {}")
	src.set(State{Version: "3", Ended: true})
	for s := next(); s != "event: end"; s = next() {
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	hosts, isLocal := Hosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "127.0.0.1:0")
	if !isLocal || hosts[0] != "localhost" {
		t.Errorf("loopback: %v, %v", hosts, isLocal)
	}
	hosts, isLocal = Hosts(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, "box.example:80")
	if isLocal || strings.Join(hosts, " ") != "box.example 192.0.2.7" {
		t.Errorf("an address: %v, %v", hosts, isLocal)
	}
	if _, isLocal = Hosts(&net.TCPAddr{IP: net.IPv4zero}, ":80"); isLocal {
		t.Error("all addresses count as this machine alone")
	}
}
