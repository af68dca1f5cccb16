package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestTextsAreEscapedAndPicturesAreIn(t *testing.T) {
	p := Page{
		Title: "a <b> & c", Facts: [][2]string{{"data", "<script>alert(1)</script>"}},
		Front:   []byte("<?xml version=\"1.0\"?>\n<!-- made --><svg width=\"1\"></svg>"),
		Gallery: []byte("png"),
		Tables:  []Table{{Title: "Members", Head: []string{"id"}, Rows: [][]string{{"g0-1"}}, Notes: []string{"x < y"}}},
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{"a &lt;b&gt; &amp; c", "&lt;script&gt;", `<svg width="1"></svg>`, "data:image/png;base64,cG5n", "<td>g0-1</td>", "x &lt; y"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, never := range []string{"<script", "<?xml", "http-equiv"} {
		if strings.Contains(html, never) {
			t.Errorf("the page has %s", never)
		}
	}
}
