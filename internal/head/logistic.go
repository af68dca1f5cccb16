package head

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/optimize"

	"moncae/internal/metric"
)

// The linear head's problem is convex: it has one optimum, and scikit-learn's
// LogisticRegression with C = 1 finds the same. The figure must not depend on
// when a descent was stopped, so the descent's result is only where L-BFGS starts.
const (
	logisticIterations = 300
	logisticGradient   = 1e-5 // largest component at the end, loss as a mean over rows
	logisticParts      = 16   // fixed, so that sums don't depend on the machine
	logisticBlock      = 512  // rows whose products are summed in float32
)

// solveLogistic minimises the mean cross-entropy of x's rows plus ‖w‖²/(2·rows)
// from where w [K,D] and b [K] are, in place, and tells the iterations. Products
// are float32, sums over blocks of rows float64; the result depends on nothing
// but the arguments.
func solveLogistic(ctx context.Context, x Examples, w, b []float32) (int, error) {
	l := &logistic{x: x, d: x.Shape.Values(), k: len(b)}
	from := make([]float64, 0, len(w)+len(b))
	for _, v := range append(slices.Clone(w), b...) {
		from = append(from, float64(v))
	}
	result, err := optimize.Minimize(optimize.Problem{Func: l.loss, Grad: l.grad}, from, &optimize.Settings{
		GradientThreshold: logisticGradient, MajorIterations: logisticIterations,
		Converger: &optimize.FunctionConverge{Relative: 1e-9, Iterations: 10},
		Recorder:  stopper{ctx},
	}, &optimize.LBFGS{})
	if result == nil || ctx.Err() != nil {
		return 0, errors.Join(ctx.Err(), err)
	}
	// A line search that finds no better point in float32's resolution ends at the
	// optimum too: what it reached is kept, whatever the status.
	for i, v := range result.X {
		if i < len(w) {
			w[i] = float32(v)
		} else {
			b[i-len(w)] = float32(v)
		}
	}
	return result.MajorIterations, nil
}

// stopper ends a minimisation when its context does.
type stopper struct{ ctx context.Context }

func (s stopper) Init() error { return s.ctx.Err() }

func (s stopper) Record(*optimize.Location, optimize.Operation, *optimize.Stats) error {
	return s.ctx.Err()
}

// logistic is the penalised loss and its gradient, both computed at once and
// kept for the last point asked for.
type logistic struct {
	x        Examples
	d, k     int
	at       []float64
	value    float64
	gradient []float64
}

func (l *logistic) loss(p []float64) float64 {
	l.move(p)
	return l.value
}

func (l *logistic) grad(grad, p []float64) {
	l.move(p)
	copy(grad, l.gradient)
}

func (l *logistic) move(p []float64) {
	if slices.Equal(l.at, p) {
		return
	}
	l.at = append(l.at[:0], p...)
	n := len(l.x.Labels)
	parts := make([]logisticPart, logisticParts)
	var wg sync.WaitGroup
	tokens := make(chan struct{}, runtime.GOMAXPROCS(0))
	w := make([]float32, len(p))
	for i, v := range p {
		w[i] = float32(v)
	}
	for i := range parts {
		wg.Go(func() {
			tokens <- struct{}{}
			parts[i] = l.part(w, n*i/logisticParts, n*(i+1)/logisticParts)
			<-tokens
		})
	}
	wg.Wait()
	l.gather(parts)
}

// gather adds the parts up and the penalty.
func (l *logistic) gather(parts []logisticPart) {
	n, weights := float64(len(l.x.Labels)), l.k*l.d
	l.value, l.gradient = 0, make([]float64, len(l.at))
	for _, part := range parts {
		l.value += part.loss / n
		for i, g := range part.gradient {
			l.gradient[i] += g / n
		}
	}
	for i, v := range l.at[:weights] {
		l.value += v * v / (2 * n)
		l.gradient[i] += v / n
	}
}

type logisticPart struct {
	loss     float64
	gradient []float64
}

// part sums over the rows from … to−1.
func (l *logistic) part(w []float32, from, to int) logisticPart {
	out := logisticPart{gradient: make([]float64, len(w))}
	weights := blas32.General{Rows: l.k, Cols: l.d, Stride: l.d, Data: w[:l.k*l.d]}
	bias := w[l.k*l.d:]
	z, dw := make([]float32, logisticBlock*l.k), make([]float32, l.k*l.d)
	for ; from < to; from += logisticBlock {
		rows := min(logisticBlock, to-from)
		x := blas32.General{Rows: rows, Cols: l.d, Stride: l.d, Data: l.x.Features[from*l.d : (from+rows)*l.d]}
		zs := blas32.General{Rows: rows, Cols: l.k, Stride: l.k, Data: z[:rows*l.k]}
		for r := range rows {
			copy(z[r*l.k:], bias)
		}
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, x, weights, 1, zs)
		out.residuals(zs, l.x.Labels[from:from+rows], l.k*l.d)
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, zs, x, 0, blas32.General{Rows: l.k, Cols: l.d, Stride: l.d, Data: dw})
		for i, v := range dw {
			out.gradient[i] += float64(v)
		}
	}
	return out
}

// residuals turns logits into softmax(z) − one-hot(label), and adds the losses
// and the bias gradients up.
func (p *logisticPart) residuals(z blas32.General, labels []int32, weights int) {
	for r, label := range labels {
		row := z.Data[r*z.Stride : r*z.Stride+z.Cols]
		norm := metric.LogSumExp(row)
		p.loss += norm - float64(row[label])
		for k, v := range row {
			residual := math.Exp(float64(v) - norm)
			if k == int(label) {
				residual--
			}
			row[k] = float32(residual)
			p.gradient[weights+k] += residual
		}
	}
}
