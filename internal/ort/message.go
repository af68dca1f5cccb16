package ort

import (
	"errors"
	"strings"
)

// plain is what ONNX Runtime says without the places in its own source, the numbers
// of its errors and the model's name, which is empty for a model in memory.
func plain(err error) error {
	text := err.Error()
	for _, before := range []string{"Error creating session: ", "Error running network: ", "Load model from  failed:", "This is an invalid model. ", "Error code ", "Status Message: "} {
		if at := strings.LastIndex(text, before); at >= 0 {
			text = text[at+len(before):]
		}
	}
	if at := strings.LastIndex(text, ".cc:"); at >= 0 { // /path/file.cc:12 function(arguments) what it says
		text = text[at:]
		if _, rest, ok := strings.Cut(text, ") "); ok {
			text = rest
		}
	}
	return errors.New(strings.TrimRight(strings.Join(strings.Fields(text), " "), ". "))
}
