package shell

import (
	"os/exec"
	"testing"
)

// The judge is a shell itself.
func TestAShellReadsItBack(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"plain", "", "a b", "it's", `"$HOME"`, "`ls`", "a\nb", "*", "~", "ä&ö;|<>()", `\`, "--x=y", "#no", "{a,b}", "!x"} {
		got, err := exec.Command("sh", "-c", "printf %s "+Quote(word)).Output()
		if err != nil || string(got) != word {
			t.Errorf("%q as %s: read back as %q (%v)", word, Quote(word), got, err)
		}
	}
	if got := Line("moncae", "front", "my run"); got != "moncae front 'my run'" {
		t.Errorf("a line: %s", got)
	}
}
