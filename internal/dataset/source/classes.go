package source

import "fmt"

// MaxClasses is how many classes labels can tell apart: a number beyond is more
// likely no label at all, and would ask for a classifier that fits no memory.
const MaxClasses = 1 << 16

// CheckClass tells whether a label of a file can be the number of a class.
func CheckClass(label int64) error {
	if label < 0 || label >= MaxClasses {
		return fmt.Errorf("%d is no class number from 0 to %d", label, MaxClasses-1)
	}
	return nil
}
