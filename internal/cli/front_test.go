package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/run"
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
		if err := (&app{Streams: Streams{Out: &b, Columns: columns}}).printFront("r", f); err != nil {
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
