package dataset

import (
	"fmt"
	"slices"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// settle drops splits without images, and notes what is missing from the labels: a set is
// refused that holds nothing.
func settle(name string, c *source.Collection) error {
	for _, s := range c.Splits {
		if s.Rows == 0 && len(c.Splits) > 1 {
			c.Notes = append(c.Notes, fmt.Sprintf("the split %s is there, and holds no images", s.Name))
		}
	}
	c.Splits = slices.DeleteFunc(c.Splits, func(s source.Split) bool { return s.Rows == 0 })
	if len(c.Splits) == 0 {
		return fault.Usagef("%s: holds no images", name)
	}
	for i, s := range c.Splits {
		if s.Labels == nil {
			continue
		}
		labels, err := s.Labels()
		if err != nil {
			return err
		}
		if i == 0 {
			c.Notes = append(c.Notes, unseen(labels, c.Classes)...)
		}
		if none := count(labels, -1); none > 0 && none < len(labels) && c.Format != "images" { // whose tables say so themselves
			c.Notes = append(c.Notes, fmt.Sprintf("%d of the %d images of %s have no label (null or −1)", none, len(labels), s.Name))
		}
	}
	return nil
}

// unseen says which classes have no images among those to train on.
func unseen(labels []int32, classes []string) []string {
	var missing []string
	for i, c := range classes {
		if !slices.Contains(labels, int32(i)) {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 || len(missing) == len(classes) {
		return nil
	}
	return []string{fmt.Sprintf("%d of the %d classes have no images to train on: %s", len(missing), len(classes), source.Few(missing))}
}

func count(labels []int32, label int32) int {
	n := 0
	for _, l := range labels {
		if l == label {
			n++
		}
	}
	return n
}
