//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"
)

// descriptor is a part of a graph, an engine, or a plan, as cuDNN holds it.
type descriptor = C.descriptor_t

// parts are descriptors that are made, and destroyed, together. After the first
// error the methods do nothing.
type parts struct {
	made []descriptor
	err  error
}

// check notes what a call gave; what says which call, to people.
func (p *parts) check(status C.int, what string) bool {
	if status == 0 {
		return true
	}
	var said [256]C.char
	C.moncae_cudnn_last_error(&said[0], C.size_t(len(said)))
	p.err = fmt.Errorf("%s: %w", what, Status(status))
	if text := C.GoString(&said[0]); text != "" {
		p.err = fmt.Errorf("%w: %s", p.err, text)
	}
	return false
}

// create makes a descriptor whose attributes are still to be set.
func (p *parts) create(kind C.int) (d descriptor) {
	if p.err != nil {
		return nil
	}
	if p.check(C.moncae_descriptor_create(kind, &d), "cudnnBackendCreateDescriptor") {
		p.made = append(p.made, d)
	}
	return d
}

func set[T any](p *parts, d descriptor, name, kind C.int, values ...T) {
	if p.err != nil {
		return
	}
	status := C.moncae_descriptor_set(d, name, kind, C.int64_t(len(values)), unsafe.Pointer(&values[0]))
	p.check(status, fmt.Sprintf("cudnnBackendSetAttribute %d", name))
}

func (p *parts) finalize(d descriptor, what string) {
	if p.err == nil {
		p.check(C.moncae_descriptor_finalize(d), "cudnnBackendFinalize of "+what)
	}
}

// count tells how many values an attribute has.
func (p *parts) count(d descriptor, name, kind C.int) int {
	var count C.int64_t
	if p.err == nil {
		p.check(C.moncae_descriptor_get(d, name, kind, 0, &count, nil), fmt.Sprintf("cudnnBackendGetAttribute %d", name))
	}
	return int(count)
}

// get reads at most len(values) of an attribute's values.
func get[T any](p *parts, d descriptor, name, kind C.int, values []T) []T {
	if p.err != nil {
		return nil
	}
	var count C.int64_t
	status := C.moncae_descriptor_get(d, name, kind, C.int64_t(len(values)), &count, unsafe.Pointer(&values[0]))
	if !p.check(status, fmt.Sprintf("cudnnBackendGetAttribute %d", name)) {
		return nil
	}
	return values[:min(int(count), len(values))]
}

// close destroys the parts, the last one first; what is wrong with that can't be
// mended, and is said.
func (p *parts) close() error {
	var failed parts
	for i := len(p.made) - 1; i >= 0; i-- {
		failed.check(C.moncae_descriptor_destroy(p.made[i]), "cudnnBackendDestroyDescriptor")
	}
	p.made = nil
	return failed.err
}

// give makes d one of the parts of to.
func (p *parts) give(to *parts, d descriptor) {
	p.made = slices.DeleteFunc(p.made, func(other descriptor) bool { return other == d })
	to.made = append(to.made, d)
}
