package inherit

import (
	"fmt"

	"moncae/internal/arch"
)

// Network is a network and where its convolutions come from.
type Network struct {
	Arch   arch.Arch
	Blocks []int // places of the genome's active blocks, ascending: the encoder's convolutions
}

// unit is a convolution with its batch norm.
type unit struct {
	place
	layer           int // of its stack
	height, width   int // of what it sees
	in, out, kernel int
	norm, skip      bool
	transposed      bool
}

// place is what pairs units.
type place struct {
	stack string // as parameters' names have it
	block int    // image for the one that makes the image
}

const image = -1

// units are a network's convolutions.
func units(n Network) []unit {
	encoder := convolutions("encoder", n.Arch.Encoder, n.Arch.Input)
	decoder := convolutions("decoder", n.Arch.Decoder, n.Arch.Latent())
	if len(encoder) != len(n.Blocks) || len(decoder) != len(n.Blocks)+1 {
		panic(fmt.Sprintf("inherit: %d and %d convolutions of %d blocks", len(encoder), len(decoder), len(n.Blocks)))
	}
	for i, block := range n.Blocks {
		encoder[i].block = block
		decoder[len(n.Blocks)-1-i].block = block
	}
	decoder[len(n.Blocks)].block = image
	return append(encoder, decoder...)
}

func convolutions(stack string, s arch.Stack, in arch.Shape) (all []unit) {
	shapes, err := s.Shapes(in)
	if err != nil {
		panic("inherit: not validated: " + err.Error())
	}
	for i, l := range s {
		switch l.Kind {
		case arch.Conv, arch.Transpose:
			all = append(all, unit{
				place: place{stack: stack}, layer: i, height: shapes[i].H, width: shapes[i].W,
				in: shapes[i].C, out: l.Filters, kernel: l.Kernel, transposed: l.Kind == arch.Transpose,
			})
		case arch.BatchNorm:
			all[len(all)-1].norm = true
		case arch.Add:
			all[len(all)-1].skip = true
		}
	}
	return all
}

// name is that of a parameter; batch norm is the layer behind the convolution.
func (u unit) name(r arch.Role) string {
	layer := u.layer
	if r != arch.Weight && r != arch.Bias {
		layer++
	}
	return fmt.Sprintf("%s.%d.%s", u.stack, layer, r)
}

// normRoles are batch norm's parameters.
var normRoles = []arch.Role{arch.Gamma, arch.Beta, arch.Mean, arch.Variance}

// family are the mother's units by place.
type family map[place]unit

func familyOf(mother Network) family {
	f := family{}
	for _, u := range units(mother) {
		f[u.place] = u
	}
	return f
}

// pair finds the mother's unit for one of the child's. There may be none: she lacks its
// block, or it saw images of another size there, or is transposed and the child's is not.
func (f family) pair(u unit) (m unit, found, lacking bool) {
	m, ok := f[u.place]
	return m, ok && m.height == u.height && m.width == u.width && m.transposed == u.transposed, !ok
}
