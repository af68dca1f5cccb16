package convert

import (
	"bytes"
	"path"
	"strings"

	"golang.org/x/sync/errgroup"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/imagefile"
)

// writeImages writes <split>/<class>/<id>.png; without a split folder where
// everything is one, without a class folder where there are no labels.
func writeImages(to *durable.Place, sets []*dataset.Set) error {
	for _, s := range sets {
		folders, err := classFolders(s)
		if err != nil {
			return err
		}
		labelled, err := complete(s)
		if err != nil {
			return err
		}
		root := s.Info.Split
		if root == source.Whole {
			root = ""
		}
		var g errgroup.Group
		g.SetLimit(durable.Together)
		for i := range s.Rows() {
			at := root
			if labelled {
				at = path.Join(root, folders[s.Labels[i]])
			}
			g.Go(func() error {
				var b bytes.Buffer
				if err := imagefile.EncodePixels(&b, s.Image(i), s.Shape); err != nil {
					return err
				}
				// Rows, not ids: several splits read as one repeat ids.
				return to.WriteBytes(path.Join(at, splitname.Row(i)), b.Bytes())
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// classFolders are the names of the classes as folders.
func classFolders(s *dataset.Set) ([]string, error) {
	seen := map[string]string{}
	var out []string
	for _, c := range s.Classes {
		f := strings.NewReplacer("/", "-", `\`, "-", ":", "-", "\x00", "-").Replace(c)
		if f == "" || strings.HasPrefix(f, ".") {
			f = "_" + f
		}
		if other, taken := seen[f]; taken {
			return nil, fault.Usagef("%s: the classes %q and %q both make the folder %s", s.Name, other, c, f)
		}
		seen[f] = c
		out = append(out, f)
	}
	return out, nil
}
