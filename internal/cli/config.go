package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"

	"moncae/internal/fault"
)

// applyConfig sets the command's flags from the --config file. Flags given on
// the command line win; a key that is no flag of the command is an error.
func (a *app) applyConfig(cmd *cobra.Command) error {
	if a.config == "" {
		return nil
	}
	text, err := os.ReadFile(a.config)
	if err != nil {
		return fault.Usagef("--config: %w", err)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return fault.Usagef("--config: %s: %s", a.config, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		pairs, err := topLevel(doc.Body)
		if err != nil {
			return fault.Usagef("--config: %s: %w", a.config, err)
		}
		for _, p := range pairs {
			if err := setFlag(cmd, p); err != nil {
				return fault.Usagef("--config: %s:%d: %w", a.config, p.Key.GetToken().Position.Line, err)
			}
		}
	}
	return nil
}

func topLevel(body ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := body.(type) {
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	}
	return nil, fmt.Errorf("line %d: a list of `flag: value` lines is wanted", body.GetToken().Position.Line)
}

func setFlag(cmd *cobra.Command, p *ast.MappingValueNode) error {
	key := strings.TrimSpace(p.Key.String())
	flag := cmd.Flags().Lookup(key)
	if flag == nil || key == "config" || key == "help" {
		return fmt.Errorf("unknown key %q: `%s` has no such flag", key, cmd.CommandPath())
	}
	if flag.Changed {
		return nil
	}
	value, err := scalar(p.Value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if err := cmd.Flags().Set(key, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// scalar writes a YAML value as the command line would: lists with commas.
func scalar(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		parts := make([]string, len(n.Values))
		for i, v := range n.Values {
			part, err := scalar(v)
			if err != nil {
				return "", err
			}
			parts[i] = part
		}
		return strings.Join(parts, ","), nil
	case *ast.StringNode:
		return n.Value, nil
	case ast.ScalarNode:
		return n.GetToken().Value, nil
	}
	return "", fmt.Errorf("a value or a list of values is wanted, not %s", n.Type())
}
