package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine/ref"
	"moncae/search"
	"moncae/search/genome"
)

const small = `"params":{"block0.filters":4,"block0.kernel":3,"block0.batch_norm":true,"block0.activation":"relu","block0.dropout":0,"block0.pool":"max",` +
	`"block0.skip":false,"block1.active":false,"latent.filters":1,"latent.activation":"","optimizer":"adam","rate":0.9,"schedule":"constant"}`

// evaluator trains on 40 images of noise of 1×8×8, 36 of them in 9 steps an epoch.
func evaluator(t *testing.T, ctx context.Context, jobs int) *search.Evaluator {
	t.Helper()
	c, err := search.Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Space, c.Epochs, c.Patience, c.Batch = genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}, 2, 0, 4
	set := &dataset.Set{Name: "noise", Shape: arch.Shape{C: 1, H: 8, W: 8}, Images: make([]uint8, 64*40)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range set.Images {
		set.Images[i] = uint8(rng.IntN(256))
	}
	eng := ref.New()
	t.Cleanup(func() { eng.Close() })
	e, err := search.NewEvaluator(ctx, c, set, search.Options{Engine: eng, Jobs: jobs})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ask sends lines and gives the answers, decoded and as they came.
func ask(t *testing.T, jobs int, lines ...string) ([]map[string]any, []string) {
	t.Helper()
	var out bytes.Buffer
	in := strings.NewReader(strings.Join(lines, "\n"))
	if err := Serve(t.Context(), evaluator(t, t.Context(), jobs), jobs, in, &out); err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	text := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range text {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, a)
	}
	return all, text
}

func TestBadLinesAreToldAndChangeNothing(t *testing.T) {
	for line, want := range map[string]string{
		"garbage":                             "no question",
		"{}":                                  `op "" is unknown`,
		`{"op":"fly","id":3}`:                 `op "fly" is unknown`,
		`{"op":"space","speed":1}`:            "speed",
		`{"op":"space"}{"op":"space"}`:        "more than one",
		`{"op":"describe","id":[1]}`:          "id is no string",
		`{"op":"describe"}`:                   "block0.kernel is missing",
		`{"op":"evaluate",` + small + `}`:     "id is missing",
		`{"op":"evaluate","id":null}`:         "block0.kernel is missing",
		"[" + strings.Repeat(" ", longest):    "longer than",
		"\xff\xfe{\x00\"\x00":                 "no question",
		`{"op":"evaluate","id":1,"seed":-1,}`: "no question",
	} {
		answers, _ := ask(t, 1, "", line, `{"op":"describe","id":"after",`+small+`}`, "  ")
		if len(answers) != 2 {
			t.Fatalf("%.40q: %d answers", line, len(answers))
		}
		if a := answers[0]; a["status"] != wrong || !strings.Contains(fmt.Sprint(a["error"]), want) || a["line"] != 2.0 {
			t.Errorf("%.40q: %v, want %q", line, a, want)
		}
		if a := answers[1]; a["status"] != ok || a["id"] != "after" {
			t.Errorf("%.40q changed what came after it: %v", line, a)
		}
	}
}

func TestATrainingIsAnsweredOnceAndDependsOnNothingElse(t *testing.T) {
	question := func(id, more string) string { return `{"op":"evaluate","id":` + id + more + `,` + small + `}` }
	one, _ := ask(t, 1, question(`"a"`, ""))
	many, text := ask(t, 3, question("1", ""), question("2", `,"seed":7`), question("3", ""), question("3", ""), `{"op":"describe",`+small+`}`)
	if len(one) != 1 || len(many) != 5 {
		t.Fatalf("%d and %d answers: %s", len(one), len(many), text)
	}
	byID := map[any][]map[string]any{}
	for _, a := range many {
		byID[a["id"]] = append(byID[a["id"]], a)
	}
	loss := func(a map[string]any) any { return a["objectives"].(map[string]any)["loss"] }
	first := one[0]
	if first["status"] != ok || first["steps"] != 18.0 || loss(first) == nil {
		t.Errorf("%v", first)
	}
	if got := loss(byID[1.0][0]); got != loss(first) {
		t.Errorf("loss %v alone, %v beside others", loss(first), got)
	}
	if got := loss(byID[2.0][0]); got == loss(first) {
		t.Error("another seed, the same loss")
	}
	if again := byID[3.0]; len(again) != 2 || !slices.ContainsFunc(again, func(a map[string]any) bool { return a["status"] == wrong }) {
		t.Errorf("an id twice: %v", again)
	}
	for name, value := range byID[nil][0]["objectives"].(map[string]any) {
		if got := first["objectives"].(map[string]any)[name]; got != value {
			t.Errorf("%s: %v described, %v trained", name, value, got)
		}
	}
}

func TestANetworkThatCanBeNoMemberIsRefused(t *testing.T) {
	large := strings.Replace(small, `"max"`, `"none"`, 1) // 8×8 values, no compression
	for _, op := range []string{opDescribe, opEvaluate} {
		answers, _ := ask(t, 1, `{"op":"`+op+`","id":1,`+large+`}`)
		if a := answers[0]; a["status"] != refused || !strings.Contains(a["error"].(string), "not better than the reference") {
			t.Errorf("%s: %v", op, a)
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// What can't be answered ends it, though the input is open.
func TestALostReaderEndsIt(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	go func() { _, _ = out.Write([]byte(`{"op":"evaluate","id":1,` + small + "}\n")) }()
	if err := Serve(t.Context(), evaluator(t, t.Context(), 1), 1, in, brokenWriter{}); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func TestAnInterruptEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	defer out.Close()
	e := evaluator(t, ctx, 1)
	cancel()
	if err := Serve(ctx, e, 1, in, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
