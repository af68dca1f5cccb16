package classify

import (
	"fmt"
	"slices"
	"strings"

	"moncae/internal/latent"
)

// notes say what keeps the figures from meaning what they seem to.
func (t *classification) notes() []string {
	notes := classNotes(t.train.Labels, t.test.Labels, t.classes)
	for _, l := range []*latents{t.train, t.test} {
		if !l.meta.Checked {
			notes = append(notes, latent.Unchecked(l.path))
		}
	}
	if t.uncounted != "" {
		notes = append(notes, t.uncounted)
	}
	if values := t.train.Shape.Values(); len(t.train.Features) > 0 && alikeRows(t.train.Features, values) {
		notes = append(notes, "all training latents are the same: the encoder tells nothing of its images")
	}
	if t.images != nil && !t.images.known && t.encoder == nil {
		notes = append(notes, fmt.Sprintf("ids and labels of %s are those of the latents; its pixels were not compared, which takes --encoder, or latents of a whole split with its fingerprint", t.Data))
	}
	if t.images != nil && t.encoder != nil && !t.encoder.runs(t.images.shape) {
		notes = append(notes, "pipeline.onnx was not run over the images: its input is not float32 in batches of any size, of the images' sides")
	}
	return notes
}

// classNotes name the classes that only one of the two files has.
func classNotes(train, test []int32, classes []string) []string {
	trained, tested := countClasses(train, len(classes)), countClasses(test, len(classes))
	var unlearned, unscored []string
	lost := 0
	for k, name := range classes {
		switch {
		case trained[k] == 0 && tested[k] > 0:
			unlearned = append(unlearned, name)
			lost += tested[k]
		case tested[k] == 0 && trained[k] > 0:
			unscored = append(unscored, name)
		}
	}
	var notes []string
	if len(unlearned) > 0 {
		notes = append(notes, fmt.Sprintf("no training row has %s: %d of %d test rows can't be classified rightly", list("class", unlearned), lost, len(test)))
	}
	if len(unscored) > 0 {
		notes = append(notes, fmt.Sprintf("no test row has %s: the accuracy says nothing of it", list("class", unscored)))
	}
	return notes
}

func countClasses(labels []int32, classes int) []int {
	rows := make([]int, classes)
	for _, label := range labels {
		rows[label]++
	}
	return rows
}

// list names some of many.
func list(what string, names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s %s and %d more", what, strings.Join(names[:most], ", "), len(names)-most)
	}
	return what + " " + strings.Join(names, ", ")
}

func alikeRows(features []float32, values int) bool {
	for at := values; at < len(features); at += values {
		if !slices.Equal(features[:values], features[at:at+values]) {
			return false
		}
	}
	return true
}
