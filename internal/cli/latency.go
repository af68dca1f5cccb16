package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"moncae/internal/fault"
	"moncae/internal/latency"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/view"
)

// latencies are the members' times for one image on this machine, by id, or why there
// are none.
type latencies struct {
	of      map[string]time.Duration
	err     error  // why some or all have none
	Batch   int    `json:"batch"`
	Threads int    `json:"threads"`
	With    string `json:"onnxruntime,omitempty"` // its version
	Missing string `json:"missing,omitempty"`     // err in a line
}

// measureLatency measures the members of a front. What can't be measured, for want of
// ONNX Runtime or of weights, has no latency, and the first reason is told.
func measureLatency(path string, front run.Front, library string) latencies {
	l := latencies{Batch: 1, Threads: 1, of: map[string]time.Duration{}}
	var r *run.Run
	if _, l.With, l.err = ort.Load(library); l.err == nil {
		r, l.err = run.Open(path)
	}
	if l.err != nil {
		return l
	}
	for _, m := range front.Members {
		t, err := r.Trained(m.ID)
		if err == nil {
			l.of[m.ID], err = latency.Of(t.Arch, t.Weights, library)
		}
		if err != nil {
			delete(l.of, m.ID)
			l.err = cmp.Or(l.err, err)
		}
	}
	return l
}

// ms is a member's time in milliseconds; nil where there is none.
func (l latencies) ms(id string) *float64 {
	took, ok := l.of[id]
	if !ok {
		return nil
	}
	ms := float64(took) / float64(time.Millisecond)
	return &ms
}

// beforePCA are a front's columns with the latency before the figures of PCA.
func (l latencies) beforePCA(columns []view.Column) []view.Column {
	at := slices.IndexFunc(columns, func(c view.Column) bool { return c.Head == view.Divider })
	return slices.Insert(slices.Clone(columns), at, view.Column{Head: "ms", Dispensable: 10, Cell: func(m run.Member, _ run.Front) string {
		if ms := l.ms(m.ID); ms != nil {
			return view.Fixed(*ms, 3)
		}
		return "–"
	}})
}

// timed is a front with its verdict and its members' latencies.
type timed struct {
	run.Front
	Members []timedMember `json:"members"`
	Latency latencies     `json:"latency"`
}

type timedMember struct {
	run.Member
	Latency *float64 `json:"latency_ms"`
}

func (l latencies) beside(f run.Front) timed {
	if l.err != nil {
		l.Missing, _, _ = strings.Cut(l.err.Error(), "\n")
	}
	t := timed{Front: judged(f), Members: []timedMember{}, Latency: l}
	for _, m := range f.Members {
		t.Members = append(t.Members, timedMember{m, l.ms(m.ID)})
	}
	return t
}

// within is the front without the members that take longer than most milliseconds.
func (l latencies) within(f run.Front, most float64) (run.Front, error) {
	if l.err != nil {
		return f, fmt.Errorf("--max-latency: %w", l.err)
	}
	slow := func(m run.Member) bool { return *l.ms(m.ID) > most }
	kept := slices.DeleteFunc(slices.Clone(f.Members), slow)
	if len(kept) == 0 && len(f.Members) > 0 {
		fast := slices.MinFunc(f.Members, func(a, b run.Member) int { return cmp.Compare(l.of[a.ID], l.of[b.ID]) })
		return f, fault.Usagef("no member keeps --max-latency %g: the fastest is %s with %.3f ms", most, fast.ID, *l.ms(fast.ID))
	}
	f.Members = kept
	return f, nil
}
