package docs_test

import (
	"path/filepath"
	"regexp"
	"testing"
)

// wrong are forms that the docs don't use, and the ones that they do: one word
// for one thing, and no word that praises.
var wrong = []struct{ form, right string }{
	{`datasets?`, "data set"},
	{`latent (code|vector|representation)s?`, "latent"},
	{`(pareto|trade-off) (front|frontier|set)`, "front"},
	{`frontier`, "front"},
	{`bottlenecks?`, "latent"},
	{`hyper-volume|hyper volume`, "hypervolume"},
	{`nadir( point)?`, "reference point"},
	{`reference vector`, "reference point"},
	{`individuals?|chromosomes?|specimens?`, "candidate"},
	{`epochs? of evolution|iteration of the search`, "generation"},
	{`auto-encoders?|auto encoders?`, "autoencoder"},
	{`batchnorm|batch-norm|batch normali[sz]ation`, "batch norm"},
	{`fine-tun\w*|fine tun\w*`, "finetune"},
	{`cross entropy`, "cross-entropy"},
	{`onnxruntime|onnx runtime \(ort\)`, "ONNX Runtime"},
	{`command-line interface|cli`, "command line"},
	{`filename`, "file name"},
	{`blazing\w*|powerful|seamless\w*|simply|easily|state-of-the-art|cutting-edge|best-in-class|robust|revolutionary|effortless\w*|awesome`, "nothing: say what it does"},
}

// proper are names that hold a wrong form.
var proper = regexp.MustCompile(`Hugging Face datasets|torchvision\.datasets|BatchNormalization|\[[^\]]*\]\([^)]*\)`)

// TestTerms looks for them in the prose of the pages; code and what the program
// itself prints into docs/reference is not prose.
func TestTerms(t *testing.T) {
	forms := make([]*regexp.Regexp, len(wrong))
	for i, w := range wrong {
		forms[i] = regexp.MustCompile(`(?i)\b(` + w.form + `)\b`)
	}
	lines := 0
	for _, page := range pages(t, "..") {
		prose(t, filepath.Join("..", page), func(n int, line string) {
			lines++
			line = span.ReplaceAllString(proper.ReplaceAllString(line, ""), "")
			for i, form := range forms {
				if found := form.FindString(line); found != "" {
					t.Errorf("%s:%d: %q; the docs say: %s", page, n, found, wrong[i].right)
				}
			}
		})
	}
	if lines < 500 {
		t.Errorf("only %d lines of prose were read", lines)
	}
}

// TestTermsFinds shows that the list finds what it is for.
func TestTermsFinds(t *testing.T) {
	for text, want := range map[string]bool{"a large dataset of digits": true, "the Pareto front": true, "a data set": false, "justice": false} {
		found := false
		for _, w := range wrong {
			found = found || regexp.MustCompile(`(?i)\b(`+w.form+`)\b`).MatchString(text)
		}
		if found != want {
			t.Errorf("%q: found %v", text, found)
		}
	}
}
