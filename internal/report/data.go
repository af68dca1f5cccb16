package report

import "moncae/internal/arch"

// Data is the document that the page's plots are drawn from, and that a live page
// asks for again. Figures are of validation images; BCE is in nats, BCE and MSE
// are means over all values.
type Data struct {
	Run       RunInfo    `json:"run"`
	Floor     float64    `json:"floor"` // entropy floor of BCE
	Mean      Figures    `json:"mean"`  // of the mean image
	PCA       []PCA      `json:"pca"`   // by rising number of values
	Genes     []Gene     `json:"genes"`
	Trainings []Training `json:"trainings"` // candidates as they were bred, those without a score too
	Progress  []Progress `json:"progress"`
	Members   []Member   `json:"members"` // by rising number of values
	Heads     []Head     `json:"heads"`
	Commands  []Command  `json:"commands"`
}

// RunInfo is what the page must know of the run.
type RunInfo struct {
	Name       string    `json:"name"` // of its folder
	Subtitle   string    `json:"subtitle"`
	Loss       string    `json:"loss"` // graph.Loss
	Objectives []string  `json:"objectives"`
	Reference  []float64 `json:"reference"`
	Values     int       `json:"values"` // of an image
}

// Figures measure reconstructions. PSNR is −10·log10(MSE) in decibels.
type Figures struct {
	BCE  float64 `json:"bce"`
	MSE  float64 `json:"mse"`
	PSNR float64 `json:"psnr,omitempty"` // 0: follows from MSE
	SSIM float64 `json:"ssim,omitempty"` // 0: not measured
}

// PCA is PCA with so many values.
type PCA struct {
	Values int `json:"values"`
	Figures
}

// Gene is an axis of the genes' plot: a number, or one of some categories.
type Gene struct {
	Name       string   `json:"name"`
	Log        bool     `json:"log,omitempty"`
	Categories []string `json:"categories,omitempty"`
}

// Training is a candidate. Search is nil where it has no score, Final where it
// was not finetuned.
type Training struct {
	ID        string         `json:"id"`
	Latent    *arch.Shape    `json:"latent,omitempty"`
	Values    int            `json:"values,omitempty"`
	Params    int            `json:"params,omitempty"`
	FLOPs     int64          `json:"flops,omitempty"`
	Parents   []string       `json:"parents"`
	Inherited *Inherited     `json:"inherited,omitempty"`
	Genes     map[string]any `json:"genes,omitempty"`
	Recipe    arch.Recipe    `json:"recipe"`
	Search    *Figures       `json:"search,omitempty"`
	Final     *Figures       `json:"final,omitempty"`
	Epochs    int            `json:"epochs,omitempty"`
	BestEpoch int            `json:"best_epoch,omitempty"`
	Seconds   float64        `json:"seconds,omitempty"`
	Curve     [][2]float64   `json:"curve,omitempty"` // training and validation loss of each epoch
	Cause     string         `json:"cause,omitempty"` // why there is no score
	Refused   bool           `json:"refused,omitempty"`
}

// Inherited is what a training began with: a share of all its values, from 0 to 1, that
// was taken from another candidate's.
type Inherited struct {
	From  string  `json:"from"`
	Share float64 `json:"share"`
}

// Progress is the front's hypervolume after so many trainings.
type Progress struct {
	Trainings   int     `json:"trainings"`
	Seconds     float64 `json:"seconds"`
	Hypervolume float64 `json:"hypervolume"`
	Finetuned   bool    `json:"finetuned,omitempty"`
}

// Member is what the page shows of a member of the front beside its figures.
type Member struct {
	ID       string    `json:"id"`
	Layers   []Layer   `json:"layers"`
	Pictures []Picture `json:"pictures,omitempty"`
}

// Layer is a layer of encoder or decoder, and its output's shape (CHW).
type Layer struct {
	Kind   string     `json:"kind"`
	Name   string     `json:"name"`
	Shape  arch.Shape `json:"shape"`
	Params int        `json:"params"`
	FLOPs  int64      `json:"flops"` // multiply-adds of one image
	Latent bool       `json:"latent,omitempty"`
}

// Picture is a strip of images, and the size in CSS pixels that it is shown in.
type Picture struct {
	Caption string `json:"caption"`
	Alt     string `json:"alt"`
	URL     string `json:"url"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
}

// Head is what a classifier made of a candidate's latents, on test images. Stale
// says that the candidate has other weights now.
type Head struct {
	ID       string     `json:"id"`
	Head     string     `json:"head"`
	Accuracy float64    `json:"accuracy"`
	Interval [2]float64 `json:"interval"` // 95 %
	PCA      *float64   `json:"pca"`
	Stale    bool       `json:"stale,omitempty"`
}

// Command is a command line for a candidate; {id} stands for it.
type Command struct {
	Name string `json:"name"`
	Line string `json:"line"`
}
