package arch

import (
	"embed"
	"encoding/json"
)

//go:embed testdata/small.json testdata/medium.json testdata/large.json
var samples embed.FS

// Sample is one of the networks that speed is measured with: small, medium or large.
func Sample(name string) Arch {
	var a Arch
	b, err := samples.ReadFile("testdata/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		panic("arch: sample " + name + ": " + err.Error())
	}
	return a
}
