package figure

import (
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/imagefile"
)

// Strip writes images side by side as a PNG, a pixel a value. Values are in
// [0, 1], CHW; one or three channels are drawn as they are, others by their first.
func Strip(w io.Writer, s arch.Shape, images [][]float32) error {
	tiles := make([]image.Image, len(images))
	for i, v := range images {
		tiles[i] = picture(v, s)
	}
	return imagefile.Encode(w, row(tiles, s.W, s.H))
}

// Differences are images whose grey is no difference between a and b: lighter is
// where a has too much, darker where it has too little, at twice the scale.
func Differences(a, b [][]float32) [][]float32 {
	out := make([][]float32, len(a))
	for i := range a {
		out[i] = make([]float32, len(a[i]))
		for j := range a[i] {
			out[i][j] = 0.5 + (a[i][j] - b[i][j])
		}
	}
	return out
}

// LatentStrip writes latents side by side as a PNG: the channels of each as maps
// in a square grid, black to white from the smallest to the largest value of all.
// sides is the size of one latent's grid in pixels.
func LatentStrip(w io.Writer, s arch.Shape, latents [][]float32) (sides image.Point, err error) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range latents {
		low, high = min(low, float64(slices.Min(v))), max(high, float64(slices.Max(v)))
	}
	scale := 1 / max(high-low, 1e-12)
	columns := int(math.Ceil(math.Sqrt(float64(s.C))))
	rows := (s.C + columns - 1) / columns
	sides = image.Pt(columns*s.W, rows*s.H)
	tiles := make([]image.Image, len(latents))
	for i, v := range latents {
		tile := image.NewGray(image.Rectangle{Max: sides})
		for j, x := range v {
			c, y, column := j/(s.H*s.W), j/s.W%s.H, j%s.W
			tile.SetGray(c%columns*s.W+column, c/columns*s.H+y, color.Gray{Y: uint8(255*(float64(x)-low)*scale + 0.5)})
		}
		tiles[i] = tile
	}
	return sides, imagefile.Encode(w, row(tiles, sides.X, sides.Y))
}

// row sets tiles of one size side by side.
func row(tiles []image.Image, width, height int) image.Image {
	all := image.NewRGBA(image.Rect(0, 0, width*len(tiles), height))
	for i, t := range tiles {
		draw.Draw(all, image.Rect(i*width, 0, (i+1)*width, height), t, t.Bounds().Min, draw.Src)
	}
	return all
}
