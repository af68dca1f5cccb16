package arch

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

func load(t *testing.T, name string) Arch {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var a Arch
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCountsAreKeras: parameters and multiply-adds are those that Keras 3.15.1
// counts in the same networks (its convolution kernels times their output sizes).
func TestCountsAreKeras(t *testing.T) {
	for _, c := range []struct {
		name                string
		latent              Shape
		trained, all, madds int
	}{
		{"small", Shape{4, 7, 7}, 3401, 3433, 712656},
		{"medium", Shape{8, 7, 7}, 43825, 44241, 8382528},
		{"large", Shape{16, 7, 7}, 332705, 333665, 229567744},
	} {
		a := load(t, c.name)
		all := 0
		for _, p := range a.Params() {
			all += p.Size()
		}
		if a.Latent() != c.latent || a.ParamCount() != c.trained || all != c.all || a.FLOPs() != int64(c.madds) {
			t.Errorf("%s: latent %v, %d parameters of %d, %d multiply-adds; Keras has %+v", c.name, a.Latent(), a.ParamCount(), all, a.FLOPs(), c)
		}
	}
	if a := load(t, "small"); a.LOC() < 2.29225 || a.LOC() > 2.29226 { // log10 196
		t.Errorf("LOC %v", a.LOC())
	}
	// A network of three layers: twice its values a row, four times its parameters.
	tiny := Arch{Shape{1, 4, 4}, Stack{{Kind: Conv, Filters: 2, Kernel: 3, Stride: 2}}, Stack{{Kind: Upsample, To: &[2]int{4, 4}}, {Kind: Conv, Filters: 1, Kernel: 1, Stride: 1}}}
	if got, want := tiny.TrainingBytes(3), int64(4*(2*(16+8+8+32+16)*3+4*(20+3))); got != want {
		t.Errorf("training takes %d bytes, want %d", got, want)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for _, name := range []string{"small", "medium", "large"} {
		a := load(t, name)
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Arch
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, back) {
			t.Errorf("%s: %+v became %+v", name, a, back)
		}
	}
	var s Shape
	if err := json.Unmarshal([]byte("[1,2]"), &s); err == nil || !strings.Contains(err.Error(), "[C, H, W]") {
		t.Errorf("a shape of two sides: %v", err)
	}
}

func TestValidate(t *testing.T) {
	conv := func(filters, kernel, stride int) Layer {
		return Layer{Kind: Conv, Filters: filters, Kernel: kernel, Stride: stride}
	}
	in := Shape{2, 5, 4}
	for _, c := range []struct {
		in               Shape
		encoder, decoder Stack
		want             string // of the error, "" for none
	}{
		{in, nil, nil, ""},
		{in, Stack{{Kind: MaxPool}}, Stack{{Kind: Upsample, To: &[2]int{5, 4}}}, ""},
		{in, Stack{conv(3, 7, 2)}, Stack{{Kind: Upsample, To: &[2]int{5, 4}}, conv(2, 1, 1)}, ""},
		{in, Stack{conv(2, 3, 1), {Kind: Add}, {Kind: Add, From: 2}}, nil, ""},
		{Shape{1, 1, 1}, Stack{{Kind: Dense, Filters: 3}}, Stack{{Kind: Dense, Filters: 1}}, ""},
		{Shape{0, 5, 4}, nil, nil, "at least 1"},
		{Shape{1, 1 << 20, 1 << 20}, nil, nil, "values"},
		{Shape{1 << 17, 1, 1}, nil, nil, "channels"},
		{Shape{1 << 16, 1 << 16, 1}, nil, nil, "values"},
		{in, Stack{conv(3, 3, 1)}, nil, "its output is 3×5×4, the input is 2×5×4"},
		{in, Stack{conv(0, 3, 1)}, nil, "encoder: layer 0: conv: 0 filters"},
		{in, Stack{conv(1<<20, 3, 1)}, nil, "filters"},
		{in, Stack{conv(2, 4, 1)}, nil, "kernel 4"},
		{in, Stack{conv(2, 101, 1)}, nil, "kernel 101"},
		{in, Stack{conv(2, 3, 3)}, nil, "stride 3"},
		{in, nil, Stack{{Kind: Activate, Activation: "tanh"}}, `decoder: layer 0: activation: "tanh"`},
		{in, Stack{{Kind: Dropout, Rate: 1}}, nil, "rate 1"},
		{in, Stack{{Kind: Upsample}}, nil, "no target size"},
		{in, Stack{{Kind: Upsample, To: &[2]int{10, 9}}}, nil, "not a doubling"},
		{in, Stack{{Kind: Add, From: 1}}, nil, "there is no value 1 yet"},
		{in, Stack{{Kind: Add, From: -1}}, nil, "there is no value -1"},
		{in, Stack{conv(3, 3, 1), {Kind: Add}}, nil, "shapes 2×5×4 and 3×5×4 differ"},
		{in, Stack{{Kind: Dense}}, nil, "dense: 0 outputs"},
		{Shape{1, 1 << 14, 1 << 14}, Stack{{Kind: Dense, Filters: 100}}, nil, "weights are more than"},
		{in, Stack{{Kind: "flatten"}}, nil, `"flatten" is unknown`},
	} {
		err := Arch{c.in, c.encoder, c.decoder}.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v %v %v: %v, want %q", c.in, c.encoder, c.decoder, err, c.want)
		}
	}
}

// FuzzArch: whatever JSON gives, a network that is accepted can be asked for
// everything without a panic or an overflow.
func FuzzArch(f *testing.F) {
	for _, name := range []string{"small", "large"} {
		b, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"input":[1,1,1],"encoder":[{"kind":"add","from":0}],"decoder":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Arch
		if json.Unmarshal(b, &a) != nil || a.Validate() != nil {
			return
		}
		if a.FLOPs() < 0 || a.ParamCount() < 0 || a.TrainingBytes(1) <= 0 || a.Latent().Values() < 1 {
			t.Errorf("%s: %d multiply-adds, %d parameters", b, a.FLOPs(), a.ParamCount())
		}
		Identity(a, Recipe{Adam, 0.1, Constant})
	})
}
