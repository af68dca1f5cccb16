package score

import (
	"testing"

	"moncae/internal/arch"
	"moncae/internal/fixture"
)

func TestBesidePaper(t *testing.T) {
	mnist := arch.Shape{C: 1, H: 28, W: 28}
	member := func(loc, bce, accuracy float64) Member {
		return Member{LOC: loc, BCE: bce, Score: Score{Accuracy: accuracy, CrossEntropy: 1}}
	}
	members := []Member{member(1, 0.2, 0.8), member(2, 0.1, 0.9), member(2.5, 9, 0)}
	p := BesidePaper("mnist", mnist, members)
	if p == nil || p.Members != 2 || p.Paper.Accuracy != 0.858 {
		t.Fatalf("%+v", p)
	}
	fixture.Near(t, "mean BCE", p.Here.BCE, 0.15, 1e-12)
	fixture.Near(t, "mean accuracy", p.Here.Accuracy, 0.85, 1e-12)
	fixture.Near(t, "mean LOC", p.Here.LOC, 1.5, 1e-12)
	if p := BesidePaper("mnist", mnist, members[2:]); p.Here != nil || p.Members != 0 {
		t.Errorf("no small member: %+v", p)
	}
	if p := BesidePaper("cifar10-jpeg.zip", arch.Shape{C: 3, H: 32, W: 32}, members); p == nil || p.Threshold != 3.1 {
		t.Errorf("CIFAR-10: %+v", p)
	}
	if p := BesidePaper("mnist-mini", mnist, members); p != nil {
		t.Errorf("mnist-mini is none of the paper's: %+v", p)
	}
	if p := BesidePaper("mnist", arch.Shape{C: 3, H: 28, W: 28}, members); p != nil {
		t.Errorf("coloured MNIST is none of the paper's: %+v", p)
	}
}
