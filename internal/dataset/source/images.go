package source

import "io"

// Image is an encoded image in a file of its own, with its class's number.
type Image struct {
	File  *File
	Label int32 // −1: none
}

// Images makes a split of images; labelled says that they have classes.
func Images(name string, images []Image, labelled bool) Split {
	s := Split{Name: name, Rows: int64(len(images))}
	all := make([]*File, len(images))
	for i, m := range images {
		all[i] = m.File
	}
	s.Bytes = Occupied(all...)
	if labelled {
		s.Labels = func() ([]int32, error) {
			labels := make([]int32, len(images))
			for i, m := range images {
				labels[i] = m.Label
			}
			return labels, nil
		}
	}
	s.Open = func() (Stream, error) { return &imageStream{images: images}, nil }
	return s
}

// imageStream hands out the files; whoever decodes them opens them.
type imageStream struct {
	images []Image
	next   int
}

func (s *imageStream) Next(it *Item) error {
	if s.next == len(s.images) {
		return io.EOF
	}
	m := s.images[s.next]
	s.next++
	it.Label, it.Path, it.Bytes, it.File = m.Label, m.File.Path, m.File.Stored, m.File
	return nil
}

func (s *imageStream) Close() error { return nil }
