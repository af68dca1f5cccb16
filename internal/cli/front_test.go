package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/run"
	"moncae/internal/view"
)

// TestFrontFitsTheTerminal: a table is no wider than the terminal; where there is
// none, all columns are there.
func TestFrontFitsTheTerminal(t *testing.T) {
	f := run.Front{Members: []run.Member{
		{ID: "g19-15", Latent: arch.Shape{C: 12, H: 32, W: 32}, LOC: 4.09, Ratio: 768, BCE: 0.5, ExcessBCE: 0.1, MSE: 0.01, PSNR: 20, SSIM: 0.5,
			Params: 1234567, Epochs: 120, PCA: &baseline.Figures{BCE: 0.5, MSE: 0.01, PSNR: 20}},
		{ID: "g1-2", Latent: arch.Shape{C: 1, H: 2, W: 2}},
	}}
	f.Floor.BCE = 0.4
	for columns, want := range map[int]string{80: "PSNR", 100: "excess", 125: "params", 150: "SSIM", 0: "SSIM"} {
		var b bytes.Buffer
		if err := (&app{Streams: Streams{Out: &b, Columns: columns}}).printFront("r", f, latencies{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")[:4]
		if !strings.Contains(lines[0], want) || !strings.Contains(lines[0], "excess vs PCA") {
			t.Errorf("%d columns: %s", columns, lines[0])
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); columns > 0 && n > columns {
				t.Errorf("%d columns: a line takes %d: %s", columns, n, line)
			}
		}
	}
}

// Several runs share a table, which fits too; a long name gives way.
func TestFrontsFitTheTerminal(t *testing.T) {
	one := run.Front{Members: []run.Member{{ID: "g19-15", Latent: arch.Shape{C: 12, H: 32, W: 32}, Values: 12288, Ratio: 768, BCE: 0.5, PSNR: 20, PCA: &baseline.Figures{BCE: 0.5, MSE: 0.01, PSNR: 20}}}}
	other := run.Front{Members: []run.Member{{ID: "g0-1", Latent: arch.Shape{C: 1, H: 2, W: 2}, Values: 4, BCE: 0.6}}}
	for _, columns := range []int{80, 0} {
		var b bytes.Buffer
		fronts := []view.NamedFront{{Name: "a run of a long name", Front: one}, {Name: "b", Front: other}}
		if err := (&app{Streams: Streams{Out: &b, Columns: columns}}).printFronts(fronts); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if !strings.HasPrefix(lines[2], "b ") || !strings.HasPrefix(lines[3], "a run") || !strings.Contains(lines[0], "PSNR") {
			t.Errorf("%d columns:\n%s", columns, b.String())
		}
		for _, line := range lines[:4] {
			if n := utf8.RuneCountInString(line); columns > 0 && n > columns {
				t.Errorf("%d columns: a line takes %d: %s", columns, n, line)
			}
		}
	}
}
