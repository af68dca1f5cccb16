package view

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"moncae/internal/report"
	"moncae/internal/run"
	"moncae/search/genome"
	"moncae/search/moo"
)

// Data is what the page's plots are drawn from, without pictures and heads.
func Data(r *run.Run, f run.Front) report.Data {
	d := report.Data{
		Run: report.RunInfo{
			Name: filepath.Base(r.Path), Subtitle: Subtitle(r, f), Loss: string(r.Config.Loss),
			Objectives: f.Objectives, Reference: f.Reference, Values: r.Manifest.Data.Shape.Values(),
		},
		Floor: f.Floor.BCE, Mean: report.Figures{BCE: f.MeanImage.BCE, MSE: f.MeanImage.MSE},
		PCA: pcas(f), Trainings: []report.Training{}, Progress: hypervolumes(r, f), Members: []report.Member{}, Heads: []report.Head{}, Commands: commands(r),
	}
	for _, c := range r.Candidates {
		d.Trainings = append(d.Trainings, training(c))
	}
	d.Genes = genes(d.Trainings)
	return d
}

// Subtitle says what the run came to, in a line.
func Subtitle(r *run.Run, f run.Front) string {
	s := fmt.Sprintf("run %s: %s, hypervolume %.4f", f.Run, Count(f), f.Hypervolume)
	if !r.Finished {
		s += fmt.Sprintf("; not finished, %d of %d generations", len(r.Generations), r.Config.Generations)
	}
	return s
}

// Count says how many came onto the front, of how many trainings, and that networks
// refused before a training are not failures.
func Count(f run.Front) string {
	lost := fmt.Sprintf("%d failed", f.Failed-f.Refused)
	if f.Refused > 0 {
		lost = fmt.Sprintf("%d refused, %s", f.Refused, lost)
	}
	return fmt.Sprintf("%d on the front of %d trainings (%s)", len(f.Members), f.Evaluations, lost)
}

func pcas(f run.Front) []report.PCA {
	all := []report.PCA{}
	for _, m := range f.Members {
		if p := m.PCA; p != nil && !slices.ContainsFunc(all, func(q report.PCA) bool { return q.Values == m.Values }) {
			all = append(all, report.PCA{Values: m.Values, Figures: report.Figures{BCE: p.BCE, MSE: p.MSE, PSNR: p.PSNR, SSIM: p.SSIM}})
		}
	}
	return all
}

func figures(r *run.Result) *report.Figures {
	if r == nil {
		return nil
	}
	f := r.Figures
	return &report.Figures{BCE: f.BCE, MSE: f.MSE, PSNR: f.PSNR, SSIM: f.SSIM}
}

func training(c *run.Candidate) report.Training {
	t := report.Training{ID: c.ID, Parents: append([]string{}, c.Parents...), Cause: c.Failure, Refused: c.Network == nil, Recipe: c.Recipe}
	if c.Network != nil {
		t.Latent, t.Values, t.Params, t.FLOPs = &c.Latent, c.Latent.Values(), c.Params, c.FLOPs
		t.Genes = genesOf(c)
	}
	if h := c.Inherited; h != nil {
		t.Inherited = &report.Inherited{From: h.From, Share: h.Share}
	}
	if c.Search == nil {
		return t
	}
	best := c.Best()
	t.Search, t.Final = figures(c.Search), figures(c.Finetuned)
	t.Epochs, t.BestEpoch, t.Seconds = best.Epochs, best.BestEpoch, c.Seconds
	history := c.Search.History
	if c.Finetuned != nil {
		history = slices.Concat(history[:min(c.Search.BestEpoch, len(history))], c.Finetuned.History)
	}
	for _, e := range history {
		t.Curve = append(t.Curve, [2]float64{e.Train, e.Validation})
	}
	return t
}

// genes are the axes of the genes' plot, from the network to the training.
func genes(trainings []report.Training) []report.Gene {
	words := func(name string) report.Gene {
		g := report.Gene{Name: name, Categories: []string{}}
		for _, t := range trainings {
			if w, ok := t.Genes[name].(string); ok && !slices.Contains(g.Categories, w) {
				g.Categories = append(g.Categories, w)
			}
		}
		slices.Sort(g.Categories)
		return g
	}
	return []report.Gene{
		{Name: "blocks"}, {Name: "filters"}, {Name: "kernel"}, {Name: "halvings"}, {Name: "residual blocks"}, {Name: "batch norms"}, {Name: "dropout"},
		words("activation"), words("optimiser"), words("schedule"), {Name: "learning rate", Log: true},
	}
}

// genesOf are a candidate's values on these axes: counts over its active blocks,
// the most filters, the largest kernel and dropout, the first block's activation.
func genesOf(c *run.Candidate) map[string]any {
	var blocks, filters, kernel, halvings, skips, norms int
	var dropout float64
	activation := ""
	for _, b := range c.Genome.Blocks {
		if !b.Active {
			continue
		}
		if blocks == 0 {
			activation = string(b.Activation)
		}
		blocks++
		filters, kernel, dropout = max(filters, b.Filters), max(kernel, b.Kernel), max(dropout, b.Dropout)
		if b.Pool != genome.NoPool {
			halvings++
		}
		if b.Skip {
			skips++
		}
		if b.BatchNorm {
			norms++
		}
	}
	return map[string]any{
		"blocks": blocks, "filters": filters, "kernel": kernel, "halvings": halvings, "residual blocks": skips, "batch norms": norms, "dropout": dropout,
		"activation": activation, "optimiser": string(c.Recipe.Optimizer), "schedule": string(c.Recipe.Schedule), "learning rate": c.Recipe.LearningRate,
	}
}

// hypervolumes are the front's after each training, and at last after finetuning.
func hypervolumes(r *run.Run, f run.Front) []report.Progress {
	var all []report.Progress
	front := moo.Archive{Reference: r.Manifest.Reference}
	trainings, elapsed, finetuned := 0, 0.0, false
	done := slices.Clone(r.Candidates)
	slices.SortStableFunc(done, func(a, b *run.Candidate) int { return cmp.Compare(r.Elapsed(a.ID), r.Elapsed(b.ID)) })
	for _, c := range done {
		if c.Network == nil {
			continue
		}
		trainings, elapsed = trainings+1, r.Elapsed(c.ID)
		finetuned = finetuned || c.Finetuned != nil
		if c.Search != nil && c.Search.Values.Within(r.Config.Bounds) {
			front.Add(r.Config.Point(c.Search.Values))
		}
		all = append(all, report.Progress{Trainings: trainings, Seconds: elapsed, Hypervolume: front.Volume})
	}
	if finetuned {
		all = append(all, report.Progress{Trainings: trainings, Seconds: r.Seconds, Hypervolume: f.Hypervolume, Finetuned: true})
	}
	return all
}
