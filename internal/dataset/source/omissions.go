package source

import (
	"path"
	"strings"
)

// LeftOut counts what of a data set is passed over for one reason.
type LeftOut struct {
	Reason  string `json:"reason"`
	Count   int    `json:"count"`
	Example string `json:"example"` // its path within the data set
}

// Omissions are all reasons, in the order in which they were met.
type Omissions []LeftOut

// Add counts n more for a reason.
func (o *Omissions) Add(reason, example string, n int) {
	for i := range *o {
		if (*o)[i].Reason == reason {
			(*o)[i].Count += n
			return
		}
	}
	if n > 0 {
		*o = append(*o, LeftOut{reason, n, example})
	}
}

// Join adds another list.
func (o *Omissions) Join(other Omissions) {
	for _, l := range other {
		o.Add(l.Reason, l.Example, l.Count)
	}
}

// Total is the number of all that is left out.
func (o Omissions) Total() int {
	n := 0
	for _, l := range o {
		n += l.Count
	}
	return n
}

// Others adds the files of a list that were not used.
func (o *Omissions) Others(list []File, used ...*File) {
	seen := map[*File]bool{}
	for _, f := range used {
		seen[f] = true
	}
	for i := range list {
		if f := &list[i]; !seen[f] {
			o.Add(NotRead(f.Path), f.Path, 1)
		}
	}
}

// HasNoEnding tells whether a file's name has no ending, or one as long as a name.
func HasNoEnding(name string) bool {
	const longest = 8
	n := len(path.Ext(name))
	return n == 0 || n > longest
}

// NotRead is the reason for which a file of a kind that isn't read is left out.
func NotRead(name string) string {
	if HasNoEnding(name) {
		return "files without an ending"
	}
	return "files ending in " + strings.ToLower(path.Ext(name))
}
