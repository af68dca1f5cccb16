package selftest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// differs says where two results that should be equal to the bit are not.
func (r result) differs(other result) error {
	equal := func(what string, a, b []float32) error {
		for i := range a {
			if a[i] != b[i] {
				return fmt.Errorf("%s[%d] is %v, was %v", what, i, a[i], b[i])
			}
		}
		return nil
	}
	errs := []error{equal("loss", r.losses, other.losses), equal("output", r.output, other.output)}
	for name := range r.moved {
		errs = append(errs, equal(name, r.moved[name], other.moved[name]))
	}
	if r.metrics != other.metrics {
		errs = append(errs, fmt.Errorf("metrics are %+v, were %+v", r.metrics, other.metrics))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const steps = 20 // of the trainings that are repeated

// repeatability trains twice alone and once beside seven others, in every precision.
func repeatability(_ context.Context, t *trials) error {
	s, err := imagesFor(everyLayer(arch.SiLU), 8, graph.BCE)
	if err != nil {
		return err
	}
	for _, p := range t.engine.Info().Precisions {
		first, err := s.run(t.engine, arch.Adam, p, steps)
		if err != nil {
			return err
		}
		alone := t.check("the same bits alone, "+string(p), func() (string, error) {
			again, err := s.run(t.engine, arch.Adam, p, steps)
			return "", errors.Join(err, again.differs(first))
		})
		beside := t.check("the same bits beside seven others, "+string(p), func() (string, error) {
			return "", t.beside(s, p, first)
		})
		if err := errors.Join(alone, beside); err != nil {
			return err
		}
	}
	return nil
}

func (t *trials) beside(s subject, p engine.Precision, want result) error {
	const side = 8
	results, errs := make([]result, side), make([]error, side)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() { results[i], errs[i] = s.run(t.engine, arch.Adam, p, steps) })
	}
	group.Wait()
	for i := range results {
		if errs[i] == nil {
			errs[i] = results[i].differs(want)
		}
	}
	return errors.Join(errs...)
}

// memory compiles what no device holds, which must be refused as such and leave
// the engine as it was.
func memory(_ context.Context, t *trials) error {
	return t.check("no memory", func() (string, error) {
		if t.engine.Info().Name == "ref" {
			return "", skipped{"the reference takes the memory of the whole process"}
		}
		s, err := imagesFor(everyLayer(arch.ReLU), 4, graph.BCE)
		if err != nil {
			return "", err
		}
		before, err := s.run(t.engine, arch.Adam, engine.Float32, steps)
		if err != nil {
			return "", err
		}
		if err := t.tooLarge(); err != nil {
			return "", err
		}
		after, err := s.run(t.engine, arch.Adam, engine.Float32, steps)
		return "", errors.Join(err, after.differs(before))
	})
}

// tooLarge compiles a network whose activations are 40 tensors of 8 GB.
func (t *trials) tooLarge() (err error) {
	a := arch.Arch{Input: arch.Shape{C: 1, H: 28, W: 28}, Decoder: arch.Stack{conv(1, 1, 1)}}
	for range 20 {
		a.Encoder = append(a.Encoder, conv(128, 1, 1), activation(arch.SiLU))
	}
	net, err := graph.Autoencoder(a, 20_000, graph.BCE, 1)
	if err != nil {
		return err
	}
	data, err := t.engine.Load(engine.Source{Shape: a.Input, Images: make([]uint8, 2*a.Input.Values())})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	p, err := t.engine.Compile(net, data, engine.Config{Optimizer: arch.SGD, Weights: arch.InitialWeights(net.Params, 1)})
	if errors.Is(err, engine.ErrMemory) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(skipped{"this system promises memory that it doesn't have"}, p.Close())
}

// recovery has the device fault between two calls of a training.
func recovery(_ context.Context, t *trials) error {
	return t.check("recovery from a fault", func() (note string, err error) {
		faulter, ok := t.engine.(interface{ Fault() error })
		if !ok {
			return "", skipped{"this engine has no device that could fault alone"}
		}
		s, err := imagesFor(everyLayer(arch.ReLU), 4, graph.BCE)
		if err != nil {
			return "", err
		}
		want, err := s.run(t.engine, arch.Adam, engine.Float32, steps)
		if err != nil {
			return "", err
		}
		data, err := t.engine.Load(s.source)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, data.Close()) }()
		p, err := t.engine.Compile(s.net, data, engine.Config{Optimizer: arch.Adam, Weights: s.weights})
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		if err := faulter.Fault(); err != nil {
			return "", err
		}
		got, err := s.train(p, steps)
		if errors.Is(err, engine.ErrLost) {
			return "the process can't use the device after a fault, and says so; a new one can", nil
		}
		if err == nil {
			err = got.differs(want)
		}
		return "the same bits after it", err
	})
}
