package cli

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	pace        pace
	done, todo  int // candidates of this bar
	images      map[string]int
	best        map[int]float64 // the least BCE of each number of values
	each        int             // images of a whole training
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
	return &progress{Streams: s, began: time.Now(), images: map[string]int{}, best: map[int]float64{}}
}

func (p *progress) observe(e search.Event) {
	switch e := e.(type) {
	case search.GenerationStarted:
		early := p.pace.generation(e.Generation)
		p.start(fmt.Sprintf("generation %d/%d", e.Generation+1, e.Of), e.ToTrain, e.ImagesPerEpoch*e.Epochs)
		p.count(early)
	case search.FinetuneStarted:
		p.pace.finetuning()
		p.start(finetuning(e), e.Candidates, e.ImagesPerEpoch*e.Epochs)
	case search.CandidateStarted:
		p.images[e.Candidate.ID] = 0
	case search.Trained:
		p.images[e.ID] += e.Images
		p.count(p.pace.counted(e.ID, tally{images: e.Images}))
	case search.Status:
		if e.SecondsLeft > 0 {
			p.left = search.Left(e.SecondsLeft)
			p.describe()
		}
	case search.CandidateFinished:
		p.finished(e)
	case search.Decided:
		p.decided(e)
	case search.FinetuneFinished:
		p.end()
		p.sum = p.sum.Plus(e.Times)
	case search.GenerationFinished:
		p.end()
		p.generation(e)
	}
}

// decided tells what the clock of a search for a time has decided.
func (p *progress) decided(e search.Decided) {
	r := e.Round
	switch {
	case e.Generations > 0:
		fmt.Fprintf(p.Err, "%v: the search ends with generation %d\n", time.Since(p.began).Round(time.Second), e.Generations)
	case r != nil && r.Images > 0:
		fmt.Fprintf(p.Err, "%v: finetuning of the %s, %s of %d images\n", time.Since(p.began).Round(time.Second), r.Scope, view.Epochs(r.Epochs), r.Images)
	case r != nil:
		fmt.Fprintf(p.Err, "%v: finetuning of the %s, %s\n", time.Since(p.began).Round(time.Second), r.Scope, view.Epochs(r.Epochs))
	}
}

func (p *progress) start(title string, candidates, images int) {
	p.end()
	p.title, p.done, p.todo, p.each = title, 0, candidates, images
	if !p.Terminal || candidates == 0 {
		return
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p.Err),
		progressbar.OptionSetWidth(p.barWidth()),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
	}
	if p.wide() {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("images"))
	}
	p.bar = progressbar.NewOptions(candidates*images, options...)
	p.describe()
}

// wide tells whether the terminal has room for images a second.
func (p *progress) wide() bool { return p.Width >= 110 }

func (p *progress) barWidth() int { return max(8, min(30, p.Width-85)) }

func (p *progress) describe() {
	if p.bar == nil {
		return
	}
	text := fmt.Sprintf("%s  %d of %d", p.title, p.done, p.todo)
	if p.left != "" {
		text += ", " + p.left + " left in all"
	}
	beside := p.barWidth() + len("   100%   ") // what the bar puts between
	if p.wide() {
		beside += len("(1000000 images/s)")
	}
	p.bar.Describe(text + p.bestText(p.Width-utf8.RuneCountInString(text)-beside))
}

// bestText are the best so far by size, those that a smaller one doesn't beat, as far
// as they have room.
func (p *progress) bestText(room int) string {
	text, least := "", math.Inf(1)
	for _, values := range slices.Sorted(maps.Keys(p.best)) {
		bce := p.best[values]
		if bce >= least {
			continue
		}
		least = bce
		next := fmt.Sprintf(" %d→%.4f", values, bce)
		if text == "" {
			next = "  best" + next
		}
		if utf8.RuneCountInString(text+next) > room {
			break
		}
		text += next
	}
	return text
}

// better takes in a member, or a candidate that might become one.
func (p *progress) better(values int, bce float64) {
	if b, ok := p.best[values]; !ok || bce < b {
		p.best[values] = bce
	}
}

func finetuning(e search.FinetuneStarted) string {
	if e.Of > 1 && e.Round < e.Of {
		return fmt.Sprintf("finetuning %d/%d", e.Round+1, e.Of)
	}
	return "finetuning"
}

// count goes on by what was done; what was spared leaves the bar.
func (p *progress) count(t tally) {
	p.done += t.over
	if p.bar == nil {
		return
	}
	if t.spared != 0 {
		p.bar.ChangeMax(max(1, p.bar.GetMax()-t.spared))
	}
	quietly(p.bar.Add(t.images))
	if t.over > 0 {
		p.describe()
	}
}

// quietly drops errors of drawing on a terminal, which lose nothing.
func quietly(error) {}

func (p *progress) finished(e search.CandidateFinished) {
	c := e.Candidate
	if r := c.Best(); r != nil {
		p.better(c.Latent.Values(), r.Figures.BCE)
	}
	if images, trained := p.images[c.ID]; trained { // else it was refused, and no place of the bar is its
		p.count(p.pace.counted(c.ID, tally{over: 1, spared: p.each - images}))
		delete(p.images, c.ID)
	}
	if p.bar != nil {
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
		if strings.HasPrefix(c.Failure, "refused: ") { // before it was trained
			return fmt.Sprintf("%-6s %s", c.ID, c.Failure)
		}
		return fmt.Sprintf("%-6s failed: %s", c.ID, c.Failure)
	case e.Finetuning && !e.Improved:
		return fmt.Sprintf("%-6s %9s  kept its weights", c.ID, c.Latent)
	}
	r := c.Best()
	return fmt.Sprintf("%-6s %9s  %11s  BCE %.4f  %.1f dB  %s", c.ID, c.Latent, view.Values(c.Latent.Values()), r.Figures.BCE, r.Figures.PSNR, view.Epochs(r.Epochs))
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
