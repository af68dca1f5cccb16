package dataset

import (
	"image"
	"image/color"
)

// sheetSide is the size that small images are enlarged to on a contact sheet.
const sheetSide = 64

// ContactSheet shows rows×cols images of s, enlarged by a whole factor where they
// are small. Where s is labelled, the classes take turns by row, each with its
// first images; otherwise images come in order. Cells without an image are grey.
func ContactSheet(s *Set, rows, cols int) *image.RGBA {
	scale := max(1, sheetSide/max(s.Shape.H, s.Shape.W))
	h, w := s.Shape.H*scale+2, s.Shape.W*scale+2
	sheet := image.NewRGBA(image.Rect(0, 0, cols*w, rows*h))
	for i := range sheet.Pix {
		sheet.Pix[i] = 128
		if i%4 == 3 {
			sheet.Pix[i] = 255
		}
	}
	for y, line := range sheetRows(s, rows, cols) {
		for x, row := range line {
			s.draw(sheet, row, x*w+1, y*h+1, scale)
		}
	}
	return sheet
}

// sheetRows are the rows of s on each line of the sheet.
func sheetRows(s *Set, rows, cols int) [][]int {
	lines := make([][]int, rows)
	if s.Labels == nil || len(s.Classes) == 0 {
		for i := range min(rows*cols, s.Rows()) {
			lines[i/cols] = append(lines[i/cols], i)
		}
		return lines
	}
	next := make([]int, len(s.Classes)) // the line that the class fills now
	for c := range next {
		next[c] = c
	}
	for i, l := range s.Labels {
		if l < 0 || next[l] >= rows {
			continue
		}
		line := &lines[next[l]]
		if *line = append(*line, i); len(*line) == cols {
			next[l] += len(s.Classes)
		}
	}
	return lines
}

// draw puts a row's image on the sheet at x, y.
func (s *Set) draw(sheet *image.RGBA, row, x, y, scale int) {
	pixels, plane := s.Image(row), s.Shape.H*s.Shape.W
	for i := range s.Shape.H * scale {
		for j := range s.Shape.W * scale {
			at := i/scale*s.Shape.W + j/scale
			c := color.RGBA{pixels[at], pixels[at], pixels[at], 255}
			if s.Shape.C == 3 {
				c.G, c.B = pixels[plane+at], pixels[2*plane+at]
			}
			sheet.SetRGBA(x+j, y+i, c)
		}
	}
}
