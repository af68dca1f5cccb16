package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/graph"
)

// TestMain plays the parts of TestEveryEndIsALine in processes of their own.
func TestMain(m *testing.M) {
	part, playing := os.LookupEnv("MONCAE_SELFTEST_PART")
	if !playing {
		os.Exit(m.Run())
	}
	t := &trials{Setting: Setting{Out: os.Stdout}}
	switch part {
	case "environment":
		_ = t.check("fine", func() (string, error) { return "well", nil })
		fmt.Println("a library's own words")
	case "layers":
		_ = t.check("before the crash", func() (string, error) { return "", nil })
		fmt.Fprintln(os.Stderr, "about to crash")
		os.Exit(7)
	case "convolutions":
		time.Sleep(time.Minute)
	case "memory":
		_ = t.check("told", func() (string, error) { return "", fmt.Errorf("open /home/me/lib.so: %w", errors.New("no")) })
	}
}

func start(ctx context.Context, part string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "MONCAE_SELFTEST_PART="+part)
	return cmd
}

// A crash, a hang and an error are lines of the report, and the rest goes on.
func TestEveryEndIsALine(t *testing.T) {
	const short = time.Second // for the part that hangs alone: a slow machine may need more for others
	defer func(d time.Duration) { limit = d }(limit)
	long := limit
	var seen []string
	r, err := Run(t.Context(), Options{Quick: true, Start: start, Observe: func(c Check) {
		seen = append(seen, c.String())
		if limit = long; c.Name == "layers" {
			limit = short
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PASS fine: well",
		"PASS before the crash",
		"FAIL layers: the process ended: exit status 7: about to crash",
		"FAIL convolutions: the process ended: still not done after 1s",
		"FAIL told: open lib.so: no",
	}
	if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the lines are\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	b, err := json.Marshal(r)
	if err != nil || !r.Failed() || !strings.HasPrefix(string(b), `{"moncae.selftest":1,`) {
		t.Errorf("the report is %s (%v)", b, err)
	}
}

func TestWithoutTheDevice(t *testing.T) {
	var out strings.Builder
	err := Part(t.Context(), "layers", Setting{Out: &out, Open: func() (engine.Engine, error) { return nil, fault.Missingf("no GPU") }})
	if err != nil || out.String() != `{"missing":"no GPU"}`+"\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	_, err = Run(t.Context(), Options{Start: func(ctx context.Context, _ string) *exec.Cmd {
		return exec.CommandContext(ctx, "/bin/echo", `{"missing":"no GPU"}`)
	}})
	if fault.Of(err) != fault.Missing {
		t.Errorf("%v, want an error of the kind Missing", err)
	}
}

// wrong is the reference with a learning rate that is a thousandth off: every
// gradient is seen to be wrong.
type wrong struct{ engine.Engine }

type wrongProgram struct{ engine.Program }

func (w wrong) Compile(net *graph.Net, d engine.Data, c engine.Config) (engine.Program, error) {
	p, err := w.Engine.Compile(net, d, c)
	return wrongProgram{p}, err
}

func (p wrongProgram) Train(rows []int32, rates, losses []float32) error {
	off := make([]float32, len(rates))
	for i, r := range rates {
		off[i] = r * 1.001
	}
	return p.Program.Train(rows, off, losses)
}

func TestAWrongGradientIsSeen(t *testing.T) {
	for name, e := range map[string]engine.Engine{"right": ref.New(), "wrong": wrong{ref.New()}} {
		var out strings.Builder
		err := Part(t.Context(), "convolutions", Setting{Out: &out, Open: func() (engine.Engine, error) { return e, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if failed := strings.Contains(out.String(), `"status":"fail"`); failed != (name == "wrong") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

// The report is small enough to attach: no more than 200 KB with every shape in
// every precision and every speed.
func TestSizeOfTheReport(t *testing.T) {
	var r Report
	for _, p := range []engine.Precision{engine.Float32, engine.TF32, engine.BFloat16} {
		for _, c := range shapes() {
			c.Precision, c.Distance = p, 1.2345678901234567e-05
			r.Convolutions = append(r.Convolutions, c)
		}
		for range 3 * len(compared) {
			r.Alternatives = append(r.Alternatives, engine.Comparison{
				Plan: engine.Plan{Kind: "weight gradient", Input: [4]int{256, 32, 32, 128}, Output: [3]int{32, 32, 128}, Precision: p, TensorCores: true, Fallback: true, Engine: 1234, Workspace: 1 << 28},
				Own:  1234.57, Library: 1234.57, Others: slices.Repeat([]engine.Other{{Engine: 1234, Rank: 12, TensorCores: true, Time: 1234.57}}, 3),
			})
		}
		for range 3 {
			r.Rooflines = append(r.Rooflines, Roofline{"medium", p, 123, 1 << 40, 1 << 40, 3.3512345678901234e12, 1.2345678901234567e14, 12345.678901234567})
		}
		for range 3 * 5 {
			r.Speeds = append(r.Speeds, Speed{Network: "medium", Precision: p, Candidates: 16, ImagesPerSecond: 123456.789012345678, OfPeak: 0.123456789012345, OfRoofline: 0.123456789012345})
		}
	}
	for range 60 {
		r.Checks = append(r.Checks, Check{Name: strings.Repeat("n", 40), Status: Fail, Reason: strings.Repeat("r", 500), Seconds: 1.234})
	}
	if len(shapes()) != 48 {
		t.Errorf("%d shapes, want 48", len(shapes()))
	}
	if b, err := json.MarshalIndent(r, "", " "); err != nil || len(b) > 200_000 {
		t.Errorf("%d bytes (%v)", len(b), err)
	}
	if a := arch.Sample("large"); a.Validate() != nil {
		t.Error(a.Validate())
	}
}
