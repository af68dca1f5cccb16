package labelfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"moncae/internal/dataset/files"
)

// errNoTable says which JSON is read as a table.
var errNoTable = errors.New(`it is no JSON that is read as labels: a list of objects with the image and its label, {"image": "label", …}, {"label": ["image", …], …}, or {"labels": [["image", 3], …]}`)

// readDocument reads a JSON document of one of the shapes that can mean labels only:
// a list of objects; StyleGAN's list of pairs; an object of labels by image, or of images by
// label, which isName tells apart.
func (t *Table) readDocument(b []byte, isName func(string) bool) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return err
	}
	switch v := document.(type) {
	case []any:
		var objects []map[string]any
		for _, e := range v {
			o, ok := e.(map[string]any)
			if !ok {
				return errNoTable
			}
			objects = append(objects, o)
		}
		if len(objects) == 0 {
			return errNoTable
		}
		t.ofObjects(objects)
		return nil
	case map[string]any:
		if labels, ok := v["labels"]; ok && len(v) == 1 {
			if labels == nil {
				return errors.New("its labels are null: the images have none")
			}
			return t.ofPairs(labels)
		}
		return t.ofNames(v, isName)
	}
	return errNoTable
}

func (t *Table) ofPairs(labels any) error {
	t.Columns = []string{"file", "label"}
	list, _ := labels.([]any)
	for i, e := range list {
		pair, _ := e.([]any)
		if len(pair) != 2 {
			return errNoTable
		}
		name, label := word(pair[0]), word(pair[1])
		if name == "" || label == "" {
			return fmt.Errorf("labels[%d]: a name and one label are wanted", i)
		}
		t.Rows = append(t.Rows, []string{name, label})
	}
	if len(list) == 0 {
		return errNoTable
	}
	return nil
}

// ofNames reads labels by image, or images by label.
func (t *Table) ofNames(object map[string]any, isName func(string) bool) error {
	t.Columns = []string{"file", "label"}
	known, certain, seen := false, false, map[string]bool{}
	add := func(name, label string) {
		known = known || isName(name)
		certain = certain || files.IsImage(name) || seen[label] // numbers of classes, with their names, aren't
		seen[label] = true
		t.Rows = append(t.Rows, []string{name, label})
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		list, ok := object[key].([]any)
		if !ok {
			add(key, word(object[key]))
		}
		for _, e := range list {
			add(word(e), key)
		}
	}
	if !known || !certain || slices.ContainsFunc(t.Rows, func(row []string) bool { return row[0] == "" || row[1] == "" }) {
		return errNoTable
	}
	return nil
}
