package view

import (
	"fmt"
	"strconv"
	"strings"

	"moncae/internal/run"
	"moncae/internal/shell"
)

// Verdict says in lines which members of a front are worth taking, and how.
func Verdict(path string, f run.Front) []string {
	if len(f.Members) == 0 {
		return nil
	}
	v := f.Judge()
	lines := []string{beside(v, len(f.Members))}
	const longer = "more --epochs, more --generations, larger --max-filters, or another --seed."
	if len(v.Take) == 0 {
		return append(lines, "None is worth having: take PCA, or search longer, by --preset standard,", longer)
	}
	if v.AheadBCE+v.AheadPSNR < v.Compared { // fewer than half, over both figures
		lines = append(lines, "PCA is better at most sizes: take it there, or search longer, by --preset standard,", longer)
	}
	var knee run.Member
	for _, m := range f.Members {
		var purposes []string
		for _, p := range run.Purposes {
			if v.Take[p] == m.ID {
				purposes = append(purposes, p)
			}
		}
		if len(purposes) > 0 {
			lines = append(lines, "  for "+strings.Join(purposes, ", ")+": "+Taken(m))
		}
		if m.ID == v.Take[run.ForKnee] {
			knee = m
		}
	}
	return append(lines,
		fmt.Sprintf("Take one by `%s`,", shell.Line("moncae", "export", path, "--candidate", knee.ID, "--out", "models")),
		fmt.Sprintf("or choose by your limits: `%s`.", shell.Line("moncae", "choose", path, "--max-values", strconv.Itoa(knee.Values))))
}

// VerdictLine is the verdict on one front among several.
func VerdictLine(f run.Front) string {
	v := f.Judge()
	switch knee, some := v.Take[run.ForKnee]; {
	case len(f.Members) == 0:
		return "No member."
	case some:
		return beside(v, len(f.Members)) + " Take " + knee + " for the knee."
	}
	return beside(v, len(f.Members)) + " None is worth having."
}

// NeedsOfPCA is why a table has no PCA of a member's size.
const NeedsOfPCA = "PCA needs more training images, and more pixels, than values, and time where it is short"

func beside(v run.Verdict, members int) string {
	if v.Compared == 0 {
		return "PCA can't be held against these members: " + NeedsOfPCA + "."
	}
	line := fmt.Sprintf("Of %d members, %d beat PCA of their size in BCE, %d in PSNR, %d in both.", members, v.AheadBCE, v.AheadPSNR, v.AheadBoth)
	if v.Compared < members {
		line += fmt.Sprintf(" %d can't be held against it: %s.", members-v.Compared, NeedsOfPCA)
	}
	return line
}

// Taken is a member with what speaks for it.
func Taken(m run.Member) string {
	s := fmt.Sprintf("%s: %s, BCE %.4f, PSNR %.1f dB", m.ID, Values(m.Values), m.BCE, m.PSNR)
	if m.PCA != nil {
		s += fmt.Sprintf(" (PCA %.4f, %.1f dB)", m.PCA.BCE, m.PCA.PSNR)
	}
	if probe, ok := m.Objectives[run.ObjectiveProbe]; ok {
		s += fmt.Sprintf(", probe %.3f", probe)
	}
	return s
}
