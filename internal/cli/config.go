package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"

	"moncae/internal/fault"
	"moncae/internal/regular"
	"moncae/internal/suggest"
)

// applyConfig sets the command's flags from the --config file. Flags given on
// the command line win; a key that is no flag of the command is an error.
func (a *app) applyConfig(cmd *cobra.Command) error {
	if a.config == "" {
		return nil
	}
	text, err := readConfig(a.config)
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

// The parser's time grows with the square of how deep a document is nested.
const (
	maxConfig = 32 << 10
	maxNested = 20
)

// readConfig reads a file that the parser is done with in less than a second.
func readConfig(name string) ([]byte, error) {
	f, err := regular.OpenStream(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("%s: it is larger than %d KiB: a line a flag is wanted", name, maxConfig>>10)
	}
	nested, line := 0, 1
	for _, c := range text {
		switch c {
		case '[', '{':
			nested++
		case ']', '}':
			nested = max(0, nested-1)
		case '\n':
			line++
		}
		if nested > maxNested {
			return nil, fmt.Errorf("%s:%d: more than %d brackets are open: a value or a list of values is wanted", name, line, maxNested)
		}
	}
	return text, nil
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
		return fmt.Errorf("unknown key %q: `%s` has no such flag%s", key, cmd.CommandPath(), suggest.Meant("--"+key, flagNames(cmd)))
	}
	if flag.Changed {
		return nil
	}
	value, err := scalar(p.Value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if err := cmd.Flags().Set(key, value); err != nil {
		return mistypedFlag(cmd, err)
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
