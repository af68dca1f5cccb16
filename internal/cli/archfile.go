package cli

import (
	"encoding/json"
	"os"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// readArch reads a network from an arch.json, bare or as a run and an export keep it.
func readArch(path string) (arch.Arch, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return arch.Arch{}, fault.Usagef("%w", err)
	}
	var kept struct {
		arch.Arch
		Inner *arch.Arch `json:"arch"`
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return arch.Arch{}, fault.Usagef("%s is no network's arch.json: %w", path, err)
	}
	a := kept.Arch
	if kept.Inner != nil {
		a = *kept.Inner
	}
	if err := a.Validate(); err != nil {
		return arch.Arch{}, fault.Usagef("%s is no network's arch.json: %w", path, err)
	}
	return a, nil
}
