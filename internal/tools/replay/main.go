// Replay tells how well the search's model would have forecast finished runs:
//
//	go run ./internal/tools/replay [-prior prior.json] [-first 12] RUN...
//
// Each training from the first on is forecast from those before it. A row a run says how
// many that were; NLPD, the mean negative logarithm of the density that was forecast for
// what came; the root mean square error of the level (surrogate.Target); and the rank
// correlation (Spearman's) of forecast and outcome, over all and within latents of one
// size, the mean over sizes of at least six trainings. A prior that has seen the runs
// themselves flatters it: internal/tools/learnprior makes others.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"moncae/internal/metric"
	"moncae/search"
	"moncae/search/surrogate"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	file := flags.String("prior", "", "what internal/tools/learnprior wrote, instead of the search's prior")
	first := flags.Int("first", 12, "how many trainings come before the first that is forecast")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return fmt.Errorf("no run is given")
	}
	prior, err := readPrior(*file)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(table, "run\tforecasts\tNLPD\tRMS\trank\twithin"); err != nil {
		return err
	}
	var all [4][]float64
	for _, path := range flags.Args() {
		r, err := search.Open(path)
		if err != nil {
			return err
		}
		features, levels, err := search.Observations(r)
		if err != nil {
			return err
		}
		knows := prior
		if r.Config.Inherit {
			knows = prior.Inheriting()
		}
		forecasts := replay(knows, features, levels, *first)
		if len(forecasts) < 2 {
			return fmt.Errorf("%s: %d trainings: two and more are wanted beyond the first %d", path, len(levels), *first)
		}
		figures := judge(forecasts)
		row(table, filepath.Base(path), len(forecasts), figures)
		for i, v := range figures {
			if !math.IsNaN(v) {
				all[i] = append(all[i], v)
			}
		}
	}
	if flags.NArg() > 1 {
		var means [4]float64
		for i, v := range all {
			means[i] = stat.Mean(v, nil)
		}
		row(table, "mean", flags.NArg(), means)
	}
	return table.Flush()
}

// row is a line of the table; what there is none of is a dash.
func row(out io.Writer, name string, n int, figures [4]float64) {
	fmt.Fprintf(out, "%s\t%d", name, n)
	for _, v := range figures {
		if math.IsNaN(v) {
			fmt.Fprint(out, "\t–")
		} else {
			fmt.Fprintf(out, "\t%.3f", v)
		}
	}
	fmt.Fprintln(out)
}

func readPrior(file string) (surrogate.Prior, error) {
	if file == "" {
		return surrogate.Learned(), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return surrogate.Prior{}, err
	}
	p, err := surrogate.ReadPrior(content)
	if err != nil {
		return p, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// forecast is what was expected of a training, and what came of it.
type forecast struct {
	size                  float64
	mean, deviation, came float64
}

// replay forecasts each training from the first on.
func replay(prior surrogate.Prior, features [][]float64, levels []float64, first int) (all []forecast) {
	for i := max(first, 0); i < len(levels); i++ {
		p := surrogate.Fit(prior, features[:i], levels[:i])
		mean, deviation := p.Predict(features[i])
		all = append(all, forecast{features[i][0], mean, math.Hypot(deviation, p.Noise(features[i])), levels[i]})
	}
	return all
}

// judge are NLPD, error, and rank correlation over all and within sizes.
func judge(all []forecast) [4]float64 {
	const enough = 6
	var nlpd, square float64
	means, came := map[float64][]float64{}, map[float64][]float64{}
	var allMeans, allCame, within []float64
	for _, f := range all {
		nlpd -= distuv.Normal{Mu: f.mean, Sigma: f.deviation}.LogProb(f.came) / float64(len(all))
		square += (f.mean - f.came) * (f.mean - f.came) / float64(len(all))
		allMeans, allCame = append(allMeans, f.mean), append(allCame, f.came)
		means[f.size], came[f.size] = append(means[f.size], f.mean), append(came[f.size], f.came)
	}
	for size, m := range means {
		if r := metric.RankCorrelation(m, came[size]); len(m) >= enough && !math.IsNaN(r) {
			within = append(within, r)
		}
	}
	return [4]float64{nlpd, math.Sqrt(square), metric.RankCorrelation(allMeans, allCame), stat.Mean(within, nil)}
}
