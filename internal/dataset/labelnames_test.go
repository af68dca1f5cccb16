package dataset

import (
	"fmt"
	"strings"
	"testing"
)

// A column of labels whose values are also images' names, as 0 and 1 are of 0.png and 1.png,
// isn't the column of the names where another names the images.
func TestLabelsAreNoNames(t *testing.T) {
	for _, c := range []struct {
		name, head string
		images     int
		rows       int
		row        func(i int) string
		column     string // of the names; "" for no labels
	}{
		{"two images", "label,picture", 2, 2, func(i int) string { return fmt.Sprintf("%d,%d.png", 1-i, i) }, "picture"},
		{"a digit each", "label,picture", 10, 10, func(i int) string { return fmt.Sprintf("%d,%d.png", 9-i, i) }, "picture"},
		{"a name that isn't there", "label,picture", 10, 10, func(i int) string { return fmt.Sprintf("%d,%s.png", 9-i, [2]string{fmt.Sprint(i), "away"}[i/9]) }, "picture"},
		{"names say more than numbers", "number,label,filename", 10, 10, func(i int) string { return fmt.Sprintf("%d,%s,%d.png", 9-i, [2]string{"a", "b"}[i/5], i) }, "filename"},
		{"several rows an image", "row,label,image_id", 4, 8, func(i int) string { return fmt.Sprintf("%d,%s,%d", i, [2]string{"a", "b"}[i%4/2], i%4) }, "image_id"},
		{"other images", "label,filename", 2, 6, func(i int) string { return fmt.Sprintf("%d,other%d.png", i%2, i) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			content, table := map[string][]byte{}, []string{c.head}
			for i := range c.images {
				content[fmt.Sprintf("%d.png", i)] = pngOf(t, 8, 8, uint8(10+20*i), false)
			}
			for i := range c.rows {
				table = append(table, c.row(i))
			}
			content["labels.csv"] = []byte(strings.Join(table, "\n") + "\n")
			s := load(t, folder(t, content), Options{Split: "all"})
			if notes := strings.Join(s.Info.Notes, "\n"); c.column == "" && s.Labels != nil || c.column != "" && !strings.Contains(notes, "by its column "+c.column) {
				t.Errorf("labels %v, notes %q, want the names in column %q", s.Labels, notes, c.column)
			}
		})
	}
}
