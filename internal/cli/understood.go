package cli

import (
	"fmt"
	"strings"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// understood says on stderr what was made of a data set, before hours are spent on
// it: splits, classes, counts, what was left out.
func (a *app) understood(info dataset.Info) {
	classes := "no labels"
	if n := len(info.Classes); n > 0 {
		const most = 10
		names := info.Classes[:min(n, most)]
		classes = fmt.Sprintf("%d classes: %s", n, fault.Name(strings.Join(names, ", ")))
		if n > most {
			classes += ", …"
		}
	}
	fmt.Fprintf(a.Err, "data: %s; %s\n", splitList(info), classes)
	for _, l := range info.LeftOut {
		fmt.Fprintf(a.Err, "left out: %s\n", leftOut(l))
	}
	for _, n := range info.Notes {
		fmt.Fprintf(a.Err, "note: %s\n", fault.Name(n))
	}
}

// chooses says which images a search validates on, and which it doesn't though they
// might be expected.
func chooses(images int, own string, info dataset.Info) string {
	if own != "" {
		return fmt.Sprintf("the %d images of %s choose", images, own)
	}
	text := fmt.Sprintf("%d of the training images are set apart and choose", images)
	names := map[string]bool{}
	for _, s := range info.Splits {
		names[s.Name] = true
	}
	if names[source.Val] && names[source.Test] {
		text += "; val isn't used (--validation val would)"
	}
	return text
}

// splitList are the splits with their images, and where they lie.
func splitList(info dataset.Info) string {
	splits := make([]string, len(info.Splits))
	for i, s := range info.Splits {
		var more []string
		if s.Folder != "" {
			more = append(more, "in "+s.Folder)
		}
		if s.Derived {
			more = append(more, "set apart")
		}
		if len(info.Classes) > 0 && !s.Labelled {
			more = append(more, "no labels")
		}
		if splits[i] = fmt.Sprintf("%s %d", s.Name, s.Rows); s.Rows < 0 {
			splits[i] = s.Name
			more = append(more, "not counted before all are read")
		}
		if len(more) > 0 {
			splits[i] += " (" + strings.Join(more, ", ") + ")"
		}
	}
	return fault.Name(strings.Join(splits, ", "))
}

func leftOut(l source.LeftOut) string {
	return fault.Name(fmt.Sprintf("%d: %s (%s)", l.Count, l.Reason, l.Example))
}
