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
	if err := t.glance(); err != nil || diverged(t.last.Loss) {
		return true, err
	}
	r := t.o.Rungs[len(t.out.Rungs)]
	t.out.Rungs = append(t.out.Rungs, t.last.Loss)
	t.out.Stopped = r.Most > 0 && t.last.Loss > r.Most
	return t.out.Stopped, nil
}

// glance measures the training within an epoch; one that has diverged fails.
func (t *training) glance() (err error) {
	if t.last, err = t.validate(); err == nil && diverged(t.last.Loss) {
		t.fail("diverged: the validation loss is %v after step %d", t.last.Loss, t.out.Steps)
	}
	return err
}

// stopped ends a training within epoch e, whose losses so far stand for it.
func (t *training) stopped(e int, loss, best float64) error {
	if diverged(t.last.Loss) {
		return nil
	}
	t.out.Epochs = e
	t.out.History = append(t.out.History, Epoch{loss, t.last.Loss})
	if t.o.Epoch != nil {
		t.o.Epoch(e, t.out.History[len(t.out.History)-1])
	}
	score, err := t.score(t.last.Loss)
	if err == nil && score < best {
		t.out.Metrics, t.out.BestEpoch, t.out.Score = t.last, e, score
		t.out.Weights, err = t.p.Weights()
	}
	return err
}
