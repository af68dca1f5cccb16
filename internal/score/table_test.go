package score

import (
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/fault"
)

// FuzzTable reads what may have become of a table: it is read, or damaged.
func FuzzTable(f *testing.F) {
	f.Add([]byte(`{"format":"moncae.classify.run","version":1,"head":"linear","members":[{"id":"g0-1"}]}`))
	f.Add([]byte(`{"format":"moncae.classify.run","version":2}`))
	f.Add([]byte(`{"format":"moncae.classify"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "report.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := ReadTable(path)
		if err == nil && (table.Format != TableFormat || table.Version > TableVersion) {
			t.Errorf("read as %q, version %d", table.Format, table.Version)
		}
		if err != nil && fault.Of(err) != fault.Damaged {
			t.Error(err)
		}
	})
}
