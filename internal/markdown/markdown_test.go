package markdown

import "testing"

func TestNamesAreNotObeyed(t *testing.T) {
	for name, want := range map[string]string{
		"mnist-mini":                      "mnist-mini",
		"a|b\n# c":                        `a\|b \# c`,
		"<img src=x>[x](javascript:1)":    `\<img src=x\>\[x\](javascript:1)`,
		"![](http://example.org/p.png)*_": `\!\[\](http://example.org/p.png)\*\_`,
		"esc\x1b[2J\u202e":                "esc�\\[2J�",
		"Straße 7":                        "Straße 7",
	} {
		if got := Text(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := Code("a`b\nc"); got != "`a'b c`" {
		t.Errorf("as code: %s", got)
	}
}
