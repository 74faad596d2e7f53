package manifests

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// change rewrites the document so that it holds want instead of was, both being
// parts of it that begin at its root. What differs in neither stays as it is
// written, comments and order included.
func (d document) change(was, want map[string]any) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(d.text, &root); err != nil {
		return nil, d.yamlError(err)
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: must be a mapping", d.line+1)
	}
	indent, err := changeMapping(root.Content[0], was, want)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(indent)
	if err := encoder.Encode(&root); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	body := bytes.TrimRight(d.text, "\r\n")
	return append(bytes.TrimRight(text.Bytes(), "\n"), d.text[len(body):]...), nil
}

// changeMapping changes what differs between was and want, and tells how far the
// mappings in it are indented.
func changeMapping(node *yaml.Node, was, want map[string]any) (indent int, err error) {
	indent = 2
	for i := 0; i+1 < len(node.Content); i += 2 {
		if child := node.Content[i+1]; child.Kind == yaml.MappingNode && child.Style&yaml.FlowStyle == 0 && len(child.Content) > 0 {
			if n := child.Content[0].Column - node.Content[i].Column; n > 0 {
				indent = n
			}
		}
	}
	for _, key := range keysOf(was, want) {
		then, before := was[key]
		now, after := want[key]
		if before == after && reflect.DeepEqual(then, now) {
			continue
		}
		at := indexOf(node, key)
		if !after {
			if at >= 0 {
				node.Content = slices.Delete(node.Content, at, at+2)
			}
			continue
		}
		if at < 0 {
			value, err := encoded(now)
			if err != nil {
				return 0, err
			}
			node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
			continue
		}
		value := node.Content[at+1]
		if value.Kind == yaml.AliasNode {
			return 0, fmt.Errorf("line %d: %s is an alias of another place", value.Line, key)
		}
		deeper, isMap := now.(map[string]any)
		if isMap && value.Kind == yaml.MappingNode {
			earlier, _ := then.(map[string]any)
			if _, err := changeMapping(value, earlier, deeper); err != nil {
				return 0, err
			}
			continue
		}
		fresh, err := encoded(now)
		if err != nil {
			return 0, err
		}
		fresh.HeadComment, fresh.LineComment, fresh.FootComment = value.HeadComment, value.LineComment, value.FootComment
		if fresh.Kind == value.Kind && fresh.Tag == value.Tag && fresh.Style == 0 {
			fresh.Style = value.Style
		}
		node.Content[at+1] = fresh
	}
	return indent, nil
}

// indexOf finds a key of a mapping; its value stands after it.
func indexOf(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func encoded(value any) (*yaml.Node, error) {
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return &node, nil
}

func keysOf(maps ...map[string]any) []string {
	var keys []string
	for _, m := range maps {
		for key := range m {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
