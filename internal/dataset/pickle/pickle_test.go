package pickle

import (
	"reflect"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	for in, want := range map[string]any{
		"\x80\x02}q\x01(U\x01aK\x01U\x01b](K\x02J\xff\xff\xff\xffNeU\x01cM\x01\x01u.": map[string]any{"a": int64(1), "b": []any{int64(2), int64(-1), nil}, "c": int64(257)},
		"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01x\x94\x86.":              nil,
		"\x80\x04\x8c\x02\xc3\xa9\x94\x88\x86.":                                       []any{"é", true},
		"(K\x05tq\x00h\x00\x86.":                                                      []any{[]any{int64(5)}, []any{int64(5)}},
		"c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9U\x06latin1\x86R.":                "\xe9",
	} {
		got, err := Read([]byte(in))
		if want == nil {
			if err == nil {
				t.Errorf("%q: %v, want an error", in, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v, want %v", in, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	laughs := "]" + strings.Repeat("q\x00](h\x00"+strings.Repeat("h\x00", 200)+"e", 12) + "."
	for in, want := range map[string]string{
		laughs:                        "too much memory",
		"":                            "ends here",
		"\x80\x02}":                   "ends here",
		"T\xff\xff\xff\x7fab.":        "offset 0: the pickle ends here",
		"t.":                          "there is no mark",
		"h\x07.":                      "nothing is remembered as 7",
		"K\x01a.":                     "takes more from the stack",
		"}(K\x01K\x02u.":              "a key is int64",
		"}(U\x01au.":                  "a key has no value",
		"cposix\nsystem\n(U\x02lstR.": `made by "posix.system" is not read`,
		"cos\nsystem\n.":              "a name of Python's",
		"i.":                          "operation 0x69 is not read",
		"]q\x00h\x00a.":               "too deep",
	} {
		if v, err := Read([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", in, v, err, want)
		}
	}
}

func FuzzPickle(f *testing.F) {
	f.Add([]byte("\x80\x02}q\x01(U\x01aK\x01U\x01b](K\x02J\xff\xff\xff\xffNeu."))
	f.Add([]byte("cnumpy.core.multiarray\n_reconstruct\nK\x00\x85R(K\x01K\x01\x85cnumpy\ndtype\nU\x02u1\x85R\x89U\x01xtb."))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Read(b) })
}
