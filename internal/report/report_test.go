package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

const hostile = `</script><script>alert(1)</script>`

func written(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func hostilePage() Page {
	return Page{
		Title: "a <b> & c", Subtitle: hostile, Facts: [][2]string{{"data", hostile}},
		Front: []byte("<svg/>"), Gallery: []byte("png"),
		Members:  &Table{Title: "Members", Head: []string{"id"}, Rows: [][]string{{"g0-1"}}, Notes: []string{"x < y"}},
		Failures: [][2]string{{"g1-1", hostile}},
		Data:     Data{Run: RunInfo{Name: hostile, Subtitle: hostile}, Trainings: []Training{{ID: "g1-1", Cause: hostile}}},
	}
}

func TestTextsAreEscapedAndPicturesAreIn(t *testing.T) {
	t.Parallel()
	html := written(t, hostilePage())
	for _, want := range []string{"a &lt;b&gt; &amp; c", "&lt;/script&gt;", "data:image/svg&#43;xml;base64,", "data:image/png;base64,cG5n", "<td>g0-1</td>", "x &lt; y"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(html, hostile) {
		t.Error("a text of the data became markup")
	}
}

// The policy's hashes must be those of what stands in the page, to the byte.
func TestPolicyNamesTheScriptsOfThePage(t *testing.T) {
	t.Parallel()
	html := written(t, hostilePage())
	blocks := regexp.MustCompile(`(?s)<(?:script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(html, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of script and style", len(blocks))
	}
	for i, b := range blocks {
		if !strings.Contains(Policy, hash(b[1])) {
			t.Errorf("block %d is not in the policy", i)
		}
	}
	if strings.Contains(Policy, "unsafe") {
		t.Errorf("policy %s", Policy)
	}
}

func TestDataCanBeReadBack(t *testing.T) {
	t.Parallel()
	html := written(t, hostilePage())
	block := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(html)
	var d Data
	if block == nil || json.Unmarshal([]byte(block[1]), &d) != nil {
		t.Fatalf("no data: %v", block)
	}
	if d.Run.Name != hostile || d.Trainings[0].Cause != hostile {
		t.Errorf("read back %+v", d.Run)
	}
}

func TestOnePageIsMadeOnce(t *testing.T) {
	t.Parallel()
	if a, b := written(t, hostilePage()), written(t, hostilePage()); a != b {
		t.Error("two writes differ")
	}
}
