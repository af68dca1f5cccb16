package genome

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"moncae/internal/arch"
)

// values reads a genome's parameters from its journal form, as Python would:
// those of inactive blocks are left out now and then.
func values(t *rapid.T, s Space, g Genome) map[string]json.RawMessage {
	text, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Blocks []map[string]json.RawMessage
		Latent map[string]json.RawMessage
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	out := map[string]json.RawMessage{}
	for _, p := range s.Parameters() {
		head, field, nested := strings.Cut(p.Name, ".")
		switch {
		case !nested:
			out[p.Name] = top[head]
		case head == "latent":
			out[p.Name] = whole.Latent[field]
		default:
			out[p.Name] = whole.Blocks[head[len("block")]-'0'][field]
		}
		if p.If != "" && string(out[p.If]) == "false" && rapid.Bool().Draw(t, "left out") {
			delete(out, p.Name)
		}
	}
	return out
}

func TestParametersMakeTheNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySpace(t)
		g := evolved(t, s)
		back, err := s.FromParameters(values(t, s, g))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(back); err != nil {
			t.Fatalf("%+v: %v", back, err)
		}
		in := arch.Shape{C: 3, H: 16, W: 16}
		a, r, err := s.Decode(g, in, Limits{})
		b, q, err2 := s.Decode(back, in, Limits{})
		if err != nil || err2 != nil || !reflect.DeepEqual(a, b) || r != q {
			t.Fatalf("%+v became %+v (%v, %v)", g, back, err, err2)
		}
	})
}

func TestParametersAreDrawnAsTheyTell(t *testing.T) {
	for _, p := range extended.Parameters() {
		sum := 0.0
		for _, q := range p.Probabilities {
			sum += q
		}
		if p.Probabilities != nil && (len(p.Probabilities) != len(p.Choices) || sum < 0.9999 || sum > 1.0001 || p.Choices[0] != 0.0) {
			t.Errorf("%+v", p)
		}
	}
	for _, p := range paper.Parameters() {
		if p.Probabilities != nil || len(p.Choices) == 1 || strings.HasSuffix(p.Name, "skip") {
			t.Errorf("the paper's space has %+v", p)
		}
	}
}

func TestParametersThatAreRefused(t *testing.T) {
	s := Space{Name: Extended, MaxBlocks: 2, MaxFilters: 8}
	good := func() map[string]json.RawMessage {
		var m map[string]json.RawMessage
		text := `{"block0.filters":8,"block0.kernel":3,"block0.batch_norm":true,"block0.activation":"relu","block0.dropout":0.1,"block0.pool":"max",
			"block0.skip":false,"block1.active":false,"latent.filters":2,"latent.activation":"","optimizer":"adam","rate":0.5,"schedule":"cosine"}`
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if _, err := s.FromParameters(good()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ value, want string }{
		"block0.filters": {"6", "one of [4,8]"},
		"block0.kernel":  {`"3"`, "one of [1,3,5,7]"},
		"block0.skip":    {"null", "one of [false,true]"},
		"block1.active":  {"", "missing"}, // left out
		"block1.kernel":  {"2", "one of"},
		"rate":           {"1", "from 0 to below 1"},
		"block2.kernel":  {"3", "unknown"},
		"block0.active":  {"false", "one of [true]"},
	} {
		m := good()
		m[name] = json.RawMessage(c.value)
		if c.value == "" {
			delete(m, name)
		}
		if _, err := s.FromParameters(m); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %q: %v, want %q", name, c.value, err, c.want)
		}
	}
}
