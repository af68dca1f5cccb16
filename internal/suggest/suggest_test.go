package suggest

import "testing"

func TestClosest(t *testing.T) {
	words := []string{"search", "serve", "selftest", "front", "--epochs", "g0-1", "g10-12", "loss", "loc"}
	for word, want := range map[string]string{
		"serch": "search", "saerch": "search", "Front": "front", "frnt": "front", "--epoch": "--epochs", "g0_1": "g0-1", "g10-21": "g10-12",
		"los": "loss", "self": "selftest", "x": "", "compress": "", "": "", "g7": "",
	} {
		if got := Closest(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Meant("serch", words); got != "; did you mean search?" {
		t.Error(got)
	}
	if got := Meant("compress", words); got != "" {
		t.Error(got)
	}
}
