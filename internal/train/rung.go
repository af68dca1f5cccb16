package train

// nextRung is the step at which the training is judged next; 0 for none.
func (t *training) nextRung() int {
	if n := len(t.out.Rungs); n < len(t.o.Rungs) {
		return t.o.Rungs[n].Step
	}
	return 0
}

// judge measures the training at a rung, and tells whether it ends there.
func (t *training) judge() (stop bool, err error) {
	m, err := t.validate()
	if err != nil {
		return false, err
	}
	if diverged(m.Loss) {
		t.fail("diverged: the validation loss is %v after step %d", m.Loss, t.out.Steps)
		return true, nil
	}
	r := t.o.Rungs[len(t.out.Rungs)]
	t.out.Rungs = append(t.out.Rungs, m.Loss)
	t.out.Stopped, t.last = r.Most > 0 && m.Loss > r.Most, m
	return t.out.Stopped, nil
}

// stopped ends a training within epoch e, whose losses so far stand for it.
func (t *training) stopped(e int, loss, best float64) (err error) {
	t.out.Epochs = e
	t.out.History = append(t.out.History, Epoch{loss, t.last.Loss})
	if t.o.Epoch != nil {
		t.o.Epoch(e, t.out.History[len(t.out.History)-1])
	}
	if t.last.Loss < best {
		t.out.Metrics, t.out.BestEpoch = t.last, e
		t.out.Weights, err = t.p.Weights()
	}
	return err
}
