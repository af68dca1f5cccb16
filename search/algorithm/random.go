package algorithm

// random draws every genome anew.
type random struct{ generational }

func (m *random) Tell(t Trial) { m.tell(t, func(ids []string) []string { return ids }) }

func (m *random) Ask(k int) Proposal { return m.ask(k, func(*breeder, []Trial) {}) }
