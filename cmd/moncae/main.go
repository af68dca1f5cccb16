// Command moncae finds small convolutional autoencoders for an image data set,
// hands them over as ONNX, and compresses data with them.
package main

import (
	"os"

	"moncae/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
