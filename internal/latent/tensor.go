package latent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// tensorType is Arrow's canonical extension type arrow.fixed_shape_tensor,
// which arrow/go v17 doesn't have.
type tensorType struct {
	arrow.ExtensionBase
	shape    []int64
	dimNames []string
}

// tensorArray is a column of tensors.
type tensorArray struct{ array.ExtensionArrayBase }

func init() {
	if err := arrow.RegisterExtensionType(newTensorType(arrow.PrimitiveTypes.Float32, []int64{1}, nil)); err != nil {
		panic("latent: " + err.Error())
	}
}

func newTensorType(elem arrow.DataType, shape []int64, names []string) *tensorType {
	t := &tensorType{shape: shape, dimNames: names}
	t.Storage = arrow.FixedSizeListOf(int32(t.values()), elem)
	return t
}

func (t *tensorType) values() int64 {
	n := int64(1)
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// ArrayType, ExtensionName, String, ExtensionEquals, Serialize and Deserialize
// are what arrow.ExtensionType asks for.
func (t *tensorType) ArrayType() reflect.Type { return reflect.TypeFor[tensorArray]() }
func (t *tensorType) ExtensionName() string   { return "arrow.fixed_shape_tensor" }
func (t *tensorType) String() string {
	return fmt.Sprintf("fixed_shape_tensor<%v>%v", t.Storage.(*arrow.FixedSizeListType).Elem(), t.shape)
}

func (t *tensorType) ExtensionEquals(other arrow.ExtensionType) bool {
	u, ok := other.(*tensorType)
	return ok && slices.Equal(t.shape, u.shape) && arrow.TypeEqual(t.Storage, u.Storage)
}

type tensorMeta struct {
	Shape       []int64  `json:"shape"`
	DimNames    []string `json:"dim_names,omitempty"`
	Permutation []int64  `json:"permutation,omitempty"`
}

func (t *tensorType) Serialize() string {
	return mustJSON(tensorMeta{Shape: t.shape, DimNames: t.dimNames})
}

func (t *tensorType) Deserialize(storage arrow.DataType, data string) (arrow.ExtensionType, error) {
	var m tensorMeta
	if err := json.Unmarshal([]byte(data), &m); err != nil {
		return nil, fmt.Errorf("%s: metadata %.80q: %w", t.ExtensionName(), data, err)
	}
	list, ok := storage.(*arrow.FixedSizeListType)
	if !ok {
		return nil, fmt.Errorf("%s: storage is %v, not a fixed-size list", t.ExtensionName(), storage)
	}
	if !slices.IsSorted(m.Permutation) {
		return nil, fmt.Errorf("%s: permuted axes %v: write the tensors in row-major order", t.ExtensionName(), m.Permutation)
	}
	if len(m.Shape) == 0 {
		return nil, fmt.Errorf("%s: metadata %.80q has no shape", t.ExtensionName(), data)
	}
	u := &tensorType{ExtensionBase: arrow.ExtensionBase{Storage: list}, shape: m.Shape, dimNames: m.DimNames}
	if shape, err := shapeOf(m.Shape); err != nil || shape.Values() != int(list.Len()) {
		return nil, fmt.Errorf("%s: shape %v over lists of %d values", t.ExtensionName(), m.Shape, list.Len())
	}
	return u, nil
}
