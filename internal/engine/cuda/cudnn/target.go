//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import (
	"errors"
	"fmt"
)

// target is what plans are made for: the device of a handle, or, without a
// handle, a device that is only described.
type target struct {
	handle    C.handle_t
	described descriptor
}

func (t target) ofGraph(p *parts, graph descriptor) {
	if t.handle != nil {
		set(p, graph, C.CUDNN_ATTR_OPERATIONGRAPH_HANDLE, C.CUDNN_TYPE_HANDLE, t.handle)
	}
}

func (t target) ofHeuristics(p *parts, heuristics descriptor) {
	if t.handle == nil {
		set(p, heuristics, C.CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, t.described)
	}
}

func (t target) ofPlan(p *parts, plan descriptor) {
	if t.handle != nil {
		set(p, plan, C.CUDNN_ATTR_EXECUTION_PLAN_HANDLE, C.CUDNN_TYPE_HANDLE, t.handle)
	} else {
		set(p, plan, C.CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, t.described)
	}
}

// describes is the first cuDNN that takes a described device.
const describes = 90800

// Device is a GPU that is described, and needn't be there.
type Device struct {
	parts parts
	on    target
}

// Describe reads a device's description, JSON as cuDNN writes it.
func (l *Library) Describe(json string) (*Device, error) {
	if l.version < describes {
		return nil, fmt.Errorf("cuDNN %s takes no described device; 9.8.0 does", l.Version())
	}
	d := &Device{}
	d.on.described = d.parts.create(C.CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR)
	set(&d.parts, d.on.described, C.CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, C.CUDNN_TYPE_CHAR, []byte(json)...)
	d.parts.finalize(d.on.described, "a device's description")
	if d.parts.err != nil {
		return nil, errors.Join(d.parts.err, d.parts.close())
	}
	return d, nil
}

// Close frees the description.
func (d *Device) Close() error { return d.parts.close() }
