package source

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
