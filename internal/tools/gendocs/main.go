// Command gendocs writes docs/reference: a page for each command, made from the
// commands themselves, and the keys of --config files with the presets' values.
// Its test fails where a page is not what it would write.
//
//	go run ./internal/tools/gendocs docs/reference
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"moncae/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "gendocs: name the folder to write, docs/reference")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// write replaces the generated pages in dir.
func write(dir string) error {
	commands := filepath.Join(dir, "commands")
	if err := os.RemoveAll(commands); err != nil {
		return err
	}
	if err := os.MkdirAll(commands, 0o777); err != nil {
		return err
	}
	root := cli.Command()
	if err := doc.GenMarkdownTree(root, commands); err != nil {
		return err
	}
	page, err := configPage(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.md"), page, 0o666)
}

// leaves are the commands that do something, in order.
func leaves(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() && child.Name() != "completion" {
			all = append(all, leaves(child)...)
		}
	}
	if len(all) == 0 {
		return []*cobra.Command{c}
	}
	return all
}
