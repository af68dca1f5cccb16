package cli

import (
	"fmt"
	"math"
	"time"

	"github.com/schollz/progressbar/v3"

	"moncae/internal/dataset"
	"moncae/internal/run"
	"moncae/internal/view"
	"moncae/search"
)

// progress shows a search: on a terminal a bar a generation, elsewhere a line a
// candidate; and a line for every generation that is done.
type progress struct {
	Streams
	bar         *progressbar.ProgressBar
	title       string
	done, todo  int // candidates of this bar
	images      map[string]int
	each        int // images of a whole training
	hypervolume float64
	sum         run.Times
	began       time.Time
	left        string // of the whole search, estimated
	verbose     bool   // a line a candidate on a terminal too
}

func newProgress(s Streams, quiet bool) *progress {
	if quiet {
		s.Terminal = false
	}
	return &progress{Streams: s, began: time.Now()}
}

func (p *progress) observe(e search.Event) {
	switch e := e.(type) {
	case search.GenerationStarted:
		p.start(fmt.Sprintf("generation %d/%d", e.Generation+1, e.Of), e.ToTrain, e.ImagesPerEpoch*e.Epochs)
	case search.FinetuneStarted:
		p.start(finetuning(e), e.Candidates, e.ImagesPerEpoch*e.Epochs)
	case search.Trained:
		p.images[e.ID] += e.Images
		p.add(e.Images)
	case search.Status:
		if e.SecondsLeft > 0 {
			p.left = search.Left(e.SecondsLeft)
			p.describe()
		}
	case search.CandidateFinished:
		p.finished(e)
	case search.FinetuneFinished:
		p.end()
		p.sum = p.sum.Plus(e.Times)
	case search.GenerationFinished:
		p.end()
		p.generation(e)
	}
}

func (p *progress) start(title string, candidates, images int) {
	p.end()
	p.title, p.done, p.todo, p.each, p.images = title, 0, candidates, images, map[string]int{}
	if !p.Terminal || candidates == 0 {
		return
	}
	p.bar = progressbar.NewOptions(candidates*images,
		progressbar.OptionSetWriter(p.Err),
		progressbar.OptionSetWidth(max(8, min(30, p.Width-85))),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("images"),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
	)
	p.describe()
}

func (p *progress) describe() {
	if p.bar == nil {
		return
	}
	text := fmt.Sprintf("%s  %d of %d", p.title, p.done, p.todo)
	if p.left != "" {
		text += ", " + p.left + " left in all"
	}
	p.bar.Describe(text)
}

func finetuning(e search.FinetuneStarted) string {
	if e.Of > 1 && e.Round < e.Of {
		return fmt.Sprintf("finetuning %d/%d", e.Round+1, e.Of)
	}
	return "finetuning"
}

func (p *progress) add(images int) {
	if p.bar != nil {
		quietly(p.bar.Add(images))
	}
}

// quietly drops errors of drawing on a terminal, which lose nothing.
func quietly(error) {}

// finished counts a candidate; what it spared by stopping early leaves the bar.
func (p *progress) finished(e search.CandidateFinished) {
	p.done++
	if p.bar != nil {
		p.bar.ChangeMax(max(1, p.bar.GetMax()-(p.each-p.images[e.Candidate.ID])))
		p.describe()
		if !p.verbose {
			return
		}
		quietly(p.bar.Clear())
	}
	fmt.Fprintf(p.Err, "  %s\n", candidateLine(e))
}

func candidateLine(e search.CandidateFinished) string {
	c := e.Candidate
	switch {
	case c.Failure != "":
		return fmt.Sprintf("%-6s failed: %s", c.ID, c.Failure)
	case e.Finetuning && !e.Improved:
		return fmt.Sprintf("%-6s %9s  kept its weights", c.ID, c.Latent)
	}
	r := c.Best()
	return fmt.Sprintf("%-6s %9s  %4d values  BCE %.4f  %.1f dB  %s", c.ID, c.Latent, c.Latent.Values(), r.Figures.BCE, r.Figures.PSNR, view.Epochs(r.Epochs))
}

// end takes the bar off the terminal.
func (p *progress) end() {
	if p.bar != nil {
		quietly(p.bar.Finish())
		p.bar = nil
	}
}

func (p *progress) generation(e search.GenerationFinished) {
	p.sum = p.sum.Plus(e.Times)
	change := ""
	if p.hypervolume > 0 {
		change = fmt.Sprintf(" (%+.1f %%)", 100*(e.Front.Hypervolume/p.hypervolume-1))
	}
	p.hypervolume = e.Front.Hypervolume
	line := fmt.Sprintf("generation %d/%d  hypervolume %.4f%s  front of %d:", e.Generation+1, e.Of, e.Front.Hypervolume, change, len(e.Front.Members))
	for _, m := range e.Front.Members {
		line += fmt.Sprintf(" %d→%.4f", m.Values, m.BCE)
	}
	if p.Terminal && len([]rune(line)) > p.Width {
		line = string([]rune(line)[:p.Width-1]) + "…"
	}
	fmt.Fprintln(p.Err, line)
}

// times prints where the time of the trainings went, and the memory's peak.
func (p *progress) times() {
	t := p.sum
	total := t.Build + t.Compile + t.Train + t.Validate + t.Store + t.Idle
	if total == 0 {
		return
	}
	part := func(v float64) string { return fmt.Sprintf("%.1f s (%.0f %%)", v, 100*v/total) }
	fmt.Fprintf(p.Err, "time of all workers: build graph %s, compile %s, train %s, validate %s, store %s, idle %s\n",
		part(t.Build), part(t.Compile), part(t.Train), part(t.Validate), part(t.Store), part(t.Idle))
	fmt.Fprintf(p.Err, "%s in all%s\n\n", time.Since(p.began).Round(100*time.Millisecond), peak())
}

// warnSlow estimates a search on the reference engine, about 100 million
// multiply-adds a second and worker, by the preset's largest usual network.
func (p *progress) warnSlow(c run.Config, set *dataset.Set) {
	images := set.Rows()
	if c.TrainLimit > 0 {
		images = min(images, c.TrainLimit)
	}
	const opsPerSecond = 1e8
	perImage := 3 * float64(set.Shape.H*set.Shape.W) * float64(c.Space.MaxFilters) * 9 * math.Sqrt(float64(c.Space.MaxFilters))
	seconds := float64(c.Population*c.Generations*c.Epochs*images) * perImage / opsPerSecond
	fmt.Fprintf(p.Err, "the pure-Go engine is made for checking: this search may take %s; a build with cgo is about a thousand times faster\n",
		(time.Duration(seconds) * time.Second).Round(time.Minute))
}
