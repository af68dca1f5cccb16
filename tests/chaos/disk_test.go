//go:build unix

package chaos_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/durable"
)

// disk is a model of a file system: what a process sees, and what is durable.
type disk struct {
	root    *inode
	pending []change // of names, in order
}

// inode is a file or a folder, whatever its name.
type inode struct {
	content []byte         // durable, of a file
	writes  []durable.Step // since then

	now, kept map[string]*inode // a folder's names: as seen, and durable
}

// change is a change of names that is there or lost as one.
type change []struct {
	dir  *inode
	name string
	to   *inode // nil: the name goes
}

func readDisk(dir string) (*disk, error) {
	root, err := readInode(dir)
	return &disk{root: root}, err
}

func readInode(path string) (*inode, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		content, err := os.ReadFile(path)
		return &inode{content: content}, err
	}
	n := &inode{now: map[string]*inode{}}
	for _, e := range entries {
		if n.now[e.Name()], err = readInode(filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
	}
	n.kept = maps.Clone(n.now)
	return n, nil
}

// at is what a path names, nil where nothing has the name.
func (d *disk) at(path string) *inode {
	n := d.root
	for _, name := range strings.Split(filepath.Clean(path), "/") {
		if name != "." && n != nil {
			n = n.now[name]
		}
	}
	return n
}

// do does a step; nothing of it is durable but what syncs make so.
func (d *disk) do(s durable.Step) {
	set := func(c *change, path string, to *inode) {
		*c = append(*c, struct {
			dir  *inode
			name string
			to   *inode
		}{d.at(filepath.Dir(path)), filepath.Base(path), to})
	}
	var c change
	n := d.at(s.Path)
	switch s.Kind {
	case "write", "truncate":
		n.writes = append(n.writes, s)
	case "sync":
		n.content, n.writes = n.after(func(s durable.Step) int { return len(s.Data) }), nil
	case "syncdir":
		d.pending = slices.DeleteFunc(d.pending, func(c change) bool { return c.keepIn(n) })
	case "create", "mkdir":
		if n != nil { // it was there
			return
		}
		n = &inode{}
		if s.Kind == "mkdir" {
			n.now, n.kept = map[string]*inode{}, map[string]*inode{}
		}
		set(&c, s.Path, n)
	case "remove":
		set(&c, s.Path, nil)
	case "rename":
		set(&c, s.Path, nil)
		set(&c, s.To, n)
	case "exchange":
		set(&c, s.Path, d.at(s.To))
		set(&c, s.To, n)
	default:
		panic("a step of a new kind: " + s.Kind)
	}
	for _, e := range c {
		name(e.dir.now, e.name, e.to)
	}
	if c != nil {
		d.pending = append(d.pending, c)
	}
}

func name(names map[string]*inode, name string, to *inode) {
	if names[name] = to; to == nil {
		delete(names, name)
	}
}

func (c change) keep() {
	for _, e := range c {
		name(e.dir.kept, e.name, e.to)
	}
}

// keepIn makes the change durable if it is one of the folder.
func (c change) keepIn(dir *inode) bool {
	for _, e := range c {
		if e.dir == dir {
			c.keep()
			return true
		}
	}
	return false
}

// fail keeps some of the changes that no sync kept.
func (d *disk) fail(r *rand.Rand) {
	ordered := r.IntN(2) == 0
	for _, c := range d.pending {
		if r.IntN(2) == 0 {
			c.keep()
		} else if ordered {
			return
		}
	}
}

// after is the file with as many bytes of each write as there are said to be, and
// cut where it was cut.
func (n *inode) after(bytes func(durable.Step) int) []byte {
	b := slices.Clone(n.content)
	for _, s := range n.writes {
		if s.Kind == "truncate" {
			b = append(b, make([]byte, max(0, int(s.At)-len(b)))...)[:s.At]
			continue
		}
		k := bytes(s)
		if end := int(s.At) + k; k > 0 && end > len(b) {
			b = append(b, make([]byte, end-len(b))...)
		}
		copy(b[min(int(s.At), len(b)):], s.Data[:k])
	}
	return b
}

// write makes path what is durable, and as much of what isn't as r says.
func (n *inode) write(path string, r *rand.Rand) error {
	if n.now == nil {
		return os.WriteFile(path, n.after(func(s durable.Step) int {
			switch r.IntN(3) {
			case 0:
				return 0
			case 1:
				return r.IntN(len(s.Data) + 1)
			}
			return len(s.Data)
		}), 0o600)
	}
	errs := []error{os.Mkdir(path, 0o700)}
	for _, name := range slices.Sorted(maps.Keys(n.kept)) {
		errs = append(errs, n.kept[name].write(filepath.Join(path, name), r))
	}
	return errors.Join(errs...)
}
