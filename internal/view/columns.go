package view

import (
	"fmt"
	"strconv"

	"moncae/internal/baseline"
	"moncae/internal/run"
)

// Column is a column of a front's table. Where a table is too wide, columns go by
// falling Dispensable; those of 0 always stay.
type Column struct {
	Head        string
	Dispensable int
	Cell        func(run.Member, run.Front) string
}

// Divider is the head of the line between a member's figures and PCA's.
const Divider = "│"

// Columns are all columns of a front's table.
var Columns = []Column{
	{"id", 0, func(m run.Member, _ run.Front) string { return m.ID }},
	{"latent", 0, func(m run.Member, _ run.Front) string { return m.Latent.String() }},
	{"LOC", 3, func(m run.Member, _ run.Front) string { return Fixed(m.LOC, 2) }},
	{"ratio", 0, func(m run.Member, _ run.Front) string { return Fixed(m.Ratio, 1) + "×" }},
	{"BCE", 0, func(m run.Member, _ run.Front) string { return Fixed(m.BCE, 4) }},
	{"excess", 2, func(m run.Member, _ run.Front) string { return Fixed(m.ExcessBCE, 4) }},
	{"MSE", 6, func(m run.Member, _ run.Front) string { return Fixed(m.MSE, 5) }},
	{"PSNR", 0, func(m run.Member, _ run.Front) string { return Fixed(m.PSNR, 1) }},
	{"SSIM", 7, func(m run.Member, _ run.Front) string { return Fixed(m.SSIM, 3) }},
	{"params", 5, func(m run.Member, _ run.Front) string { return strconv.Itoa(m.Params) }},
	{"epochs", 4, func(m run.Member, _ run.Front) string { return strconv.Itoa(m.Epochs) }},
	{Divider, 0, func(run.Member, run.Front) string { return Divider }},
	{"PCA: BCE", 0, ofPCA(func(p baseline.Figures) string { return Fixed(p.BCE, 4) })},
	{"MSE", 8, ofPCA(func(p baseline.Figures) string { return Fixed(p.MSE, 5) })},
	{"PSNR", 0, ofPCA(func(p baseline.Figures) string { return Fixed(p.PSNR, 1) })},
	{"SSIM", 9, ofPCA(func(p baseline.Figures) string {
		if p.SSIM == 0 {
			return "–"
		}
		return Fixed(p.SSIM, 3)
	})},
	{"excess vs PCA", 0, besidePCA},
}

// ofPCA is a figure of PCA with a member's number of values.
func ofPCA(cell func(baseline.Figures) string) func(run.Member, run.Front) string {
	return func(m run.Member, _ run.Front) string {
		if m.PCA == nil {
			return "–"
		}
		return cell(*m.PCA)
	}
}

// besidePCA is how much smaller (−) or larger (+) the excess BCE is than PCA's.
func besidePCA(m run.Member, f run.Front) string {
	if m.PCA == nil {
		return "–"
	}
	return fmt.Sprintf("%+.0f %%", 100*(m.ExcessBCE/(m.PCA.BCE-f.Floor.BCE)-1))
}
